/** The button that says how much waits, and whose faces it has. */
import { announce, say } from "./words.js";

const FACES = 3;
const GATHERING = 1_000;

export class Pill {
  #waiting = 0;
  #announcement = 0;

  /** @param {HTMLElement} button @param {DOMStringMap} words */
  constructor(button, words) {
    this.button = button;
    this.words = words;
  }

  /** @param {HTMLElement[]} articles oldest first @param {boolean} more than these */
  show(articles, more) {
    const { wordsNewOne, wordsNewMany } = this.words;
    const n = articles.length;
    this.button.hidden = !n;
    this.#fill(".pill-faces", faces(articles));
    this.#fill(".pill-text", [n === 1 ? wordsNewOne ?? "" : say(wordsNewMany, { n: more ? `${n}+` : n })]);
    if (Boolean(n) !== Boolean(this.#waiting)) this.#announce(n);
    this.#waiting = n;
  }

  /** @param {string} part @param {(Node | string)[]} content */
  #fill(part, content) {
    this.button.querySelector(part)?.replaceChildren(...content);
  }

  /** Once for all that gathers, not once for each. @param {number} n */
  #announce(n) {
    const { wordsAnnounceOne, wordsAnnounceMany } = this.words;
    clearTimeout(this.#announcement);
    if (!n) return announce("");
    this.#announcement = setTimeout(() => {
      announce(this.#waiting === 1 ? wordsAnnounceOne ?? "" : say(wordsAnnounceMany, { n: this.#waiting }));
    }, GATHERING);
  }
}

/** Of the newest, each face once. @param {HTMLElement[]} articles */
function faces(articles) {
  const drawn = articles.map((article) => article.querySelector(".post-avatar svg, .notification-face svg"));
  const once = new Map(drawn.reverse().map((face) => [face?.outerHTML, face]));
  return [...once.values()].filter(Boolean).slice(0, FACES).map((face) => document.importNode(face, true));
}
