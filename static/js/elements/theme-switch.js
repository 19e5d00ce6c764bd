/** Light, dark, or as the system. */
import { send } from "../lib/request.js";
import { remember } from "../lib/store.js";

const root = document.documentElement;

class ThemeSwitch extends HTMLElement {
  connectedCallback() {
    this.addEventListener("click", ({ target }) => {
      const pressed = /** @type {Element} */ (target).closest("button[data-value]");
      if (pressed) this.#choose(pressed.dataset.value);
    });
    this.addEventListener("change", ({ target }) => {
      if (target.name === "theme") root.dataset.theme = target.value;
    });
    this.#mark();
  }

  /** @param {string} theme */
  #choose(theme) {
    root.dataset.theme = theme;
    this.#mark();
    remember("theme", theme);
    if (this.dataset.action) send(this.dataset.action, { theme });
  }

  #mark() {
    for (const choice of document.querySelectorAll("theme-switch button[data-value]")) {
      choice.ariaPressed = String(choice.dataset.value === root.dataset.theme);
    }
  }
}

customElements.define("theme-switch", ThemeSwitch);
