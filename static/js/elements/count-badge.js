/** A number that lives: in the navigation, in the title, as a dot on the page's icon. */
import { live } from "../lib/live.js";
import { say } from "../lib/words.js";

const MOST = 99;

class CountBadge extends HTMLElement {
  connectedCallback() {
    this.number = this.querySelector(".badge-number");
    this.words = this.querySelector(".badge-words");
    live.addEventListener("count", this);
    live.addEventListener("fresh", this);
    if (!this.hidden) onTheTab(this.number?.textContent ?? "");
  }

  disconnectedCallback() {
    live.removeEventListener("count", this);
    live.removeEventListener("fresh", this);
  }

  /** @param {CustomEvent} event */
  handleEvent({ type, detail }) {
    if (type === "fresh") this.#copy(detail.querySelector(`count-badge[data-name="${this.dataset.name}"]`));
    else if (detail.name === this.dataset.name) this.#show(Number(detail.value));
  }

  /** @param {number} value */
  #show(value) {
    const { wordsOne, wordsMany } = this.dataset;
    this.hidden = !value;
    if (this.number) this.number.textContent = value > MOST ? `${MOST}+` : String(value);
    if (this.words) this.words.textContent = value === 1 ? wordsOne ?? "" : say(wordsMany, { n: value });
    onTheTab(value ? String(value) : "");
  }

  /** @param {HTMLElement | null} fresh */
  #copy(fresh) {
    if (fresh) this.#show(fresh.hidden ? 0 : parseInt(fresh.textContent ?? "", 10) || 0);
  }
}

/** @param {string} count */
function onTheTab(count) {
  const title = document.title.replace(/^\(\d+\+?\) /, "");
  document.title = count ? `(${count}) ${title}` : title;
  const icon = /** @type {HTMLLinkElement | null} */ (document.querySelector("link[data-icon-new]"));
  const wanted = count ? icon?.dataset.iconNew : icon?.dataset.icon;
  if (icon && wanted && icon.getAttribute("href") !== wanted) icon.href = wanted;
}

customElements.define("count-badge", CountBadge);
