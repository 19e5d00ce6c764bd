/** What a profile says of somebody besides their posts goes as soon as they do. */
import { listen } from "../lib/live.js";

customElements.define("live-person", class extends HTMLElement {
  connectedCallback() {
    const { person, gone } = this.dataset;
    const isGone = ({ target, element }) => target === "person" && element === `author-${person}`;
    listen(this, { change: (change) => isGone(change) && this.#leave(gone) });
  }

  /** As high as it was: what is below is being read. */
  #leave(words) {
    this.style.blockSize = `${this.offsetHeight}px`;
    this.replaceChildren();
    document.title = document.querySelector("h1").textContent = this.ariaLabel = words;
  }
});
