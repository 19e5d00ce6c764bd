/** Keeps "5 minutes ago" true, with one timer for all. */
import { exact, relative } from "../lib/words.js";

customElements.define("relative-time", class extends HTMLElement {
  connectedCallback() {
    this.time = this.querySelector("time");
    this.time.title = exact(this.time.dateTime);
    this.tell();
  }

  tell() {
    if (this.dataset.format === "date") return;
    const words = relative(this.time.dateTime);
    if (this.time.textContent !== words) this.time.textContent = words;
  }
});

function tellAll() {
  if (document.hidden) return;
  for (const one of document.querySelectorAll("relative-time")) one.tell();
}

setInterval(tellAll, 10_000);
document.addEventListener("visibilitychange", tellAll);
