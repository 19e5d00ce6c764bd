/** A number in the navigation, in the title, and as a dot on the icon. */
import { listen } from "../lib/live.js";
import { say } from "../lib/words.js";

customElements.define("count-badge", class extends HTMLElement {
  connectedCallback() {
    this.number = this.querySelector(".badge-number");
    this.stop = listen({
      count: ({ name, value }) => name === this.dataset.name && this.#show(value),
    });
    this.#onTheTab(this.hidden ? "" : this.number.textContent);
  }

  disconnectedCallback() { this.stop(); }

  #show(n) {
    const { wordsOne, wordsMany } = this.dataset;
    this.hidden = !n;
    const shown = n > 99 ? "99+" : n;
    this.number.textContent = shown;
    this.querySelector(".badge-words").textContent = n === 1 ? wordsOne : say(wordsMany, { n: shown });
    this.#onTheTab(n && shown);
  }

  #onTheTab(count) {
    if (this.dataset.name === "unread_notifications") onTheTab(count);
  }
});

function onTheTab(count) {
  const title = document.title.replace(/^\(\d+\+?\) /, "");
  document.title = count ? `(${count}) ${title}` : title;
  const link = document.querySelector("link[data-icon-new]");
  const icon = count ? link?.dataset.iconNew : link?.dataset.icon;
  if (icon && link.getAttribute("href") !== icon) link.href = icon;
}
