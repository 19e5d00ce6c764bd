/** Keeps "5 minutes ago" true. One timer for all. */
import { exact, relative } from "../lib/times.js";

const shown = new Set();

class RelativeTime extends HTMLElement {
  connectedCallback() {
    this.time = this.querySelector("time");
    this.moment = new Date(this.getAttribute("datetime") ?? "");
    if (!this.time || Number.isNaN(this.moment.getTime())) return;
    this.time.title = exact(this.moment);
    if (this.dataset.format === "date") return;
    shown.add(this);
    this.tell();
  }

  disconnectedCallback() {
    shown.delete(this);
  }

  tell() {
    const words = relative(this.moment);
    if (this.time.textContent !== words) this.time.textContent = words;
  }
}

const tellAll = () => document.hidden || shown.forEach((time) => time.tell());
setInterval(tellAll, 10_000);
document.addEventListener("visibilitychange", tellAll);
customElements.define("relative-time", RelativeTime);
