/** Keeps "5 minutes ago" true, with one timer for all. */
import { exact, relative } from "../lib/words.js";

const shown = new Set();

customElements.define("relative-time", class extends HTMLElement {
  connectedCallback() {
    this.time = this.querySelector("time");
    this.moment = new Date(this.time.dateTime);
    this.time.title = exact(this.moment);
    if (this.dataset.format === "date") return;
    shown.add(this);
    tell(this);
  }

  disconnectedCallback() { shown.delete(this); }
});

function tell({ time, moment }) {
  const words = relative(moment);
  if (time.textContent !== words) time.textContent = words;
}

const tellAll = () => document.hidden || shown.forEach(tell);
setInterval(tellAll, 10_000);
document.addEventListener("visibilitychange", tellAll);
