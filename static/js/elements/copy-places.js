/** Where a post goes besides: says where X will cut it (the server decides), and what became of it. */
import { element } from "../lib/html.js";
import { listen } from "../lib/live.js";
import { say, toast } from "../lib/words.js";

const ROOM = 255;
const PIECE = /(?:https?:\/\/|(?:[\p{L}\p{N}_-]+\.)+\p{L})[^\s]*/gu;
const LIGHT = /^[\0-\u10ff\u2000-\u200d\u2010-\u201f\u2032-\u2037]$/;
const EMOJI = /\p{Emoji_Presentation}|\p{RI}|\ufe0f|\u20e3/u;

const heavy = (letter) => (LIGHT.test(letter) ? 1 : 2);
const weight = (grapheme) =>
  EMOJI.test(grapheme) ? 2 : [...grapheme].reduce((sum, letter) => sum + heavy(letter), 0);

function* pieces(text) {
  let at = 0;
  const split = function* (part) {
    for (const { segment } of new Intl.Segmenter().segment(part)) yield [segment, weight(segment)];
  };
  for (const { 0: link, index } of text.matchAll(PIECE)) {
    yield* split(text.slice(at, index));
    yield [link, 23];
    at = index + link.length;
  }
  yield* split(text.slice(at));
}

/** @returns the last words that go along; "" if all do */
function end(text) {
  let [total, kept] = [0, ""];
  for (const [piece, its] of pieces(text)) {
    total += its;
    if (total <= ROOM - 2) kept += piece;
  }
  const isWhole = /\s/.test(text[kept.length]);
  if (!isWhole) kept = kept.replace(/\s\S{0,23}$/, "");
  return total > ROOM ? `“…${kept.trimEnd().slice(-30)}…”` : "";
}

customElements.define("copy-places", class extends HTMLElement {
  connectedCallback() {
    this.text = this.closest("form").querySelector("textarea");
    this.told = this.querySelector("output");
    this.closest("form").addEventListener("input", () => this.#measure());
    this.#measure();
    listen(this, { change: (change) => change.target === "copies" && this.#tell(change) });
  }

  /** Where the post stands in a list; its own page says it below. */
  #tell({ element: id, html }) {
    const isHere = (name) => document.getElementById(name);
    if (isHere(id) || !isHere(id.replace("copies", "post"))) return;
    const told = [...element(html).querySelectorAll("p")].map((line) => line.textContent);
    if (told.length) toast(told.join(" ").replace(/\s+/g, " "));
  }

  #measure() {
    const isOn = this.querySelector("[data-kind=x]:checked");
    const last = isOn ? end(this.text.value.trim()) : "";
    this.told.hidden = !last;
    this.told.textContent = say(this.dataset.wordsCut, { end: last });
  }
});
