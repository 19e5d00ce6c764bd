/** The small dot with words: live, reconnecting, offline, caught up, signed out. */
import { live } from "../lib/live.js";
import { clock } from "../lib/times.js";
import { say } from "../lib/words.js";

const BLINK = 1_000; // a shorter loss is not worth a word
const LONG = 10_000; // after this it is no longer "reconnecting"
const NEWS = 8_000;

class LiveState extends HTMLElement {
  #next = 0;

  connectedCallback() {
    live.addEventListener("state", this);
    this.#follow(live.state, 0);
  }

  disconnectedCallback() {
    live.removeEventListener("state", this);
    clearTimeout(this.#next);
  }

  /** @param {CustomEvent} event */
  handleEvent({ detail: { state, arrived } }) {
    this.#follow(state, arrived);
  }

  /** @param {string} state @param {number} arrived */
  #follow(state, arrived) {
    clearTimeout(this.#next);
    if (state === "reconnecting") return this.#later(BLINK, () => this.#lost());
    this.#show(state, this.#words(state, arrived));
    if (state === "caught-up") this.#later(NEWS, () => this.#follow("live", 0));
    if (state === "connecting") this.#later(LONG, () => this.#offline());
  }

  #lost() {
    if (!navigator.onLine) return this.#offline();
    this.#show("reconnecting", this.dataset.wordsReconnecting);
    this.#later(LONG, () => this.#offline());
  }

  #offline() {
    const time = clock(new Date(live.until));
    this.#show("offline", say(this.dataset.wordsOffline, { time }));
  }

  /** @param {string} state @param {number} n */
  #words(state, n) {
    const words = this.dataset;
    if (state !== "caught-up") return state === "signed-out" ? words.wordsSignedOut : words[`words${state[0].toUpperCase()}${state.slice(1)}`];
    if (n === 1) return words.wordsCaughtUpOne;
    return n ? say(words.wordsCaughtUp, { n }) : words.wordsCaughtUpNone;
  }

  /** @param {string} state @param {string} [words] */
  #show(state, words = "") {
    const spoken = this.querySelector(".live-words");
    this.dataset.state = state;
    this.title = words;
    if (spoken && spoken.textContent !== words) spoken.textContent = words;
  }

  /** @param {number} wait @param {() => void} then */
  #later(wait, then) {
    clearTimeout(this.#next);
    this.#next = setTimeout(then, wait);
  }
}

customElements.define("live-state", LiveState);
