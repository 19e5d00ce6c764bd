/** A number that lives: in the navigation, in the title, as a dot on the page's icon. */
import { live } from "../lib/live.js";
import { say } from "../lib/words.js";

const MOST = 99;

class CountBadge extends HTMLElement {
  connectedCallback() {
    const { name } = this.dataset;
    const same = `count-badge[data-name="${name}"]`;
    this.number = this.querySelector(".badge-number");
    this.stop = live.listen({
      count: (count) => count.name === name && this.#show(count.value),
      fresh: (page) => this.replaceWith(page.querySelector(same) ?? this),
    });
    onTheTab(this.hidden ? "" : this.number.textContent);
  }

  disconnectedCallback() { this.stop(); }

  #show(n) {
    const { wordsOne, wordsMany } = this.dataset;
    this.hidden = !n;
    this.number.textContent = n > MOST ? `${MOST}+` : n;
    this.querySelector(".badge-words").textContent = n === 1 ? wordsOne : say(wordsMany, { n });
    onTheTab(n);
  }
}

function onTheTab(count) {
  const title = document.title.replace(/^\(\d+\+?\) /, "");
  document.title = count ? `(${count}) ${title}` : title;
  const link = document.querySelector("link[data-icon-new]");
  const icon = count ? link?.dataset.iconNew : link?.dataset.icon;
  if (icon && link.getAttribute("href") !== icon) link.href = icon;
}

customElements.define("count-badge", CountBadge);
