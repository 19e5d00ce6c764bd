/** A number in the navigation, in the title, and as a dot on the icon. */
import { listen } from "../lib/live.js";
import { counted } from "../lib/words.js";

customElements.define("count-badge", class extends HTMLElement {
  connectedCallback() {
    listen(this, {
      count: ({ name, value }) => name === this.dataset.name && this.#show(value),
    });
  }

  #show(n) {
    const shown = n > 99 ? "99+" : n;
    this.hidden = !n;
    this.querySelector(".badge-number").textContent = shown;
    this.querySelector(".badge-words").textContent = counted(this.dataset, shown);
    if (this.dataset.name === "unread_notifications") showOnTheTab(n && shown);
  }
});

function showOnTheTab(count) {
  const title = document.title.replace(/^\(\d+\+?\) /, "");
  const link = document.querySelector("[rel=icon]");
  const icon = count ? link.dataset.iconNew : link.dataset.icon;
  document.title = count ? `(${count}) ${title}` : title;
  if (link.getAttribute("href") !== icon) link.href = icon;
}
