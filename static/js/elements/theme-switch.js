/** Light, dark, or as the system.  A cookie tells it to the server: no page begins in another. */
import { send } from "../lib/request.js";
import { isDone } from "../lib/words.js";

const chosen = document.documentElement.dataset;

customElements.define("theme-switch", class extends HTMLElement {
  connectedCallback() {
    this.onchange = ({ target }) => (chosen.theme = target.value);
    this.onclick = ({ target }) => this.#choose(target.closest("[data-value]")?.dataset.value);
  }

  #choose(theme) {
    if (!theme) return;
    chosen.theme = theme;
    for (const choice of this.children) choice.ariaPressed = choice.dataset.value === theme;
    document.cookie = `theme=${theme}; path=/; max-age=31536000; samesite=lax`;
    if (this.dataset.action) send(this.dataset.action, { theme }).then(isDone);
  }
});
