/** The dot with words: live, reconnecting, offline, caught up, signed out. */
import { listen, live } from "../lib/live.js";
import { clock, say } from "../lib/words.js";

const BLINK = 1000; // a shorter loss is not worth a word
const LONG = 10_000;
const NEWS = 8000;
const lost = [LONG, "offline"];
const THEN = { connecting: lost, reconnecting: lost, "caught-up": [NEWS, "live"] };

customElements.define("live-state", class extends HTMLElement {
  connectedCallback() {
    listen(this, { state: (now) => this.#follow(now) });
    this.#show(live.state);
  }

  #follow({ state, arrived }) {
    if (state !== "reconnecting") this.#show(state, arrived);
    else this.#later(BLINK, () => this.#show(navigator.onLine ? state : "offline"));
  }

  #show(state, n = 0) {
    const [wait, next] = THEN[state] ?? [];
    const words = state === "caught-up" && n < 2 ? `${state}-${n ? "one" : "none"}` : state;
    this.dataset.state = state;
    this.title = say(this.getAttribute(`data-words-${words}`), { n, time: clock(live.until) });
    this.querySelector(".live-words").textContent = this.title;
    this.#later(wait, () => next && this.#show(next));
  }

  #later(wait, then) {
    clearTimeout(this.next);
    this.next = setTimeout(then, wait);
  }
});
