/** A part of the page that the server draws anew while something goes on. */
import { element } from "../lib/html.js";
import { listen } from "../lib/live.js";
import { token } from "../lib/reader.js";
import { announce } from "../lib/words.js";

customElements.define("live-part", class extends HTMLElement {
  connectedCallback() {
    listen(this, {
      change: (change) => change.element === this.id && this.#become(element(change.html)),
      fresh: (page) => this.#become(page.getElementById(this.id)),
    });
  }

  /** The end is said aloud, not every step. */
  #become(part) {
    if (!part) return; // the page as it is now goes without
    const { said } = part.dataset;
    const hadFocus = this.contains(document.activeElement);
    this.replaceChildren(...part.childNodes);
    for (const field of this.querySelectorAll("[name=csrf_token]")) field.value = token();
    this.tabIndex = -1;
    if (hadFocus) ([...this.querySelectorAll("a, button")].at(-1) ?? this).focus();
    if (said) announce(said);
  }
});
