/** Light, dark, or as the system. */
import { recall, remember } from "../lib/memory.js";
import { account } from "../lib/reader.js";
import { send } from "../lib/request.js";

const chosen = document.documentElement.dataset;
if (!account) chosen.theme = recall("theme") ?? chosen.theme;

customElements.define("theme-switch", class extends HTMLElement {
  connectedCallback() {
    this.onchange = ({ target }) => (chosen.theme = target.value);
    this.onclick = ({ target }) => this.#choose(target.closest("[data-value]")?.dataset.value);
    mark();
  }

  #choose(theme) {
    if (!theme) return;
    chosen.theme = theme;
    mark();
    remember("theme", theme);
    if (this.dataset.action) send(this.dataset.action, { theme });
  }
});

function mark() {
  for (const choice of document.querySelectorAll("theme-switch [data-value]")) {
    choice.ariaPressed = choice.dataset.value === chosen.theme;
  }
}
