/** Light, dark, or as the system. */
import { recall, remember } from "../lib/memory.js";
import { account } from "../lib/reader.js";
import { send } from "../lib/request.js";

const chosen = document.documentElement.dataset;
if (!account) chosen.theme = recall("theme") ?? chosen.theme;

class ThemeSwitch extends HTMLElement {
  connectedCallback() {
    this.addEventListener("change", ({ target }) => (chosen.theme = target.value));
    this.addEventListener("click", ({ target }) => this.#choose(target.closest("[data-value]")));
    mark();
  }

  #choose(button) {
    if (!button) return;
    const theme = (chosen.theme = button.dataset.value);
    mark();
    remember("theme", theme);
    if (this.dataset.action) send(this.dataset.action, { theme });
  }
}

function mark() {
  for (const choice of document.querySelectorAll("theme-switch [data-value]")) {
    choice.ariaPressed = choice.dataset.value === chosen.theme;
  }
}

customElements.define("theme-switch", ThemeSwitch);
