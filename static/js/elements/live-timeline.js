/** A list that does not move under the reader: new posts wait behind the pill, in order. */
import { articlesOf, byAge, keepingPlace, older, onScreen, tombstone } from "../lib/articles.js";
import { element, make } from "../lib/html.js";
import { listen } from "../lib/live.js";
import { account, insertsByItself } from "../lib/reader.js";
import { announce, clock, say } from "../lib/words.js";

const MOST_WAITING = 200;
const MOST_SHOWN = 400;
const FACES = 3;
const MOMENT = 1000;

customElements.define("live-timeline", class extends HTMLElement {
  #held = new Map();
  #hasHole = false; // more came than is held: to show it is to ask for the page
  #announcing = 0;

  connectedCallback() {
    const { live, order, target } = this.dataset;
    this.isLive = live === "true";
    this.newestFirst = order === "newest";
    this.list = this.querySelector(".timeline-posts");
    this.pill = this.querySelector(".pill");
    this.pill.onclick = () => this.release();
    this.stop = listen({
      change: (change) => change.target === target && this.#apply(change),
      fresh: (page) => this.#compare(page.querySelector("live-timeline")),
    });
  }

  disconnectedCallback() { this.stop(); }

  /** The press is answered at once; what takes longer waits until that is on the screen. */
  release() {
    this.pill.hidden = true;
    requestAnimationFrame(() => setTimeout(() => this.#release()));
  }

  #release() {
    if (this.#hasHole) return startOver();
    const arrived = this.#waiting;
    if (!arrived.length) return;
    this.#showHeld();
    this.#drawRule(arrived[0]);
    const first = arrived.at(this.newestFirst ? -1 : 0);
    first.scrollIntoView({ block: "center" });
    first.focus({ preventScroll: true });
  }

  /** The reader's own new post. @returns whether it belongs here */
  take(html, isReply) {
    const [stream, id] = this.dataset.stream.split(":");
    const isOurs = { home: true, public: true, account: id === account, thread: isReply }[stream];
    if (!this.isLive || !isOurs) return false;
    const article = element(html);
    this.#held.delete(article.id);
    this.#refresh();
    if (!this.#find(article.id)) keepingPlace(() => this.#place(article));
    return true;
  }

  /** A tombstone where it was on screen, else no trace. */
  withdraw(id) {
    const shown = this.#find(id);
    if (this.#held.delete(id)) this.#refresh();
    if (shown) this.#swap(shown, shown.dataset.post && onScreen(shown) ? tombstone(shown) : null);
  }

  get #waiting() { return byAge(this.#held.values()); }
  get #known() { return [...articlesOf(this.list), ...this.#held.values()]; }
  #find(id) { return this.list.querySelector(`#${id}`); }
  #follows(one, other) { return this.newestFirst ? older(one, other) : older(other, one); }

  #apply({ action, element: id, html }) {
    if (action === "remove") this.#named(id).forEach((one) => this.withdraw(one));
    else if (action === "replace") this.#replace(element(html));
    else if (!this.#find(id)) this.#arrive(element(html));
  }

  /** One, or all of a person who is suspended. */
  #named(id) {
    const author = id.match(/^author-(.+)/)?.[1];
    const isTheirs = ({ dataset }) => dataset.author === author;
    return author ? this.#known.filter(isTheirs).map((one) => one.id) : [id];
  }

  #replace(article) {
    const shown = this.#find(article.id);
    if (this.#held.has(article.id)) this.#held.set(article.id, article);
    if (shown) this.#swap(shown, article);
  }

  #swap(shown, other) {
    const hadFocus = shown.contains(document.activeElement);
    keepingPlace(() => (other ? shown.replaceWith(other) : shown.remove()));
    if (hadFocus) (other ?? articlesOf(this.list).find(onScreen))?.focus({ preventScroll: true });
  }

  #arrive(article) {
    const isKnown = this.#held.has(article.id) || this.#find(article.id);
    if (isKnown || !this.isLive) return this.#replace(article);
    this.#held.set(article.id, article);
    if (this.#mayMove()) return this.#showHeld("post-arrived");
    this.#hasHole ||= this.#held.size > MOST_WAITING;
    if (this.#held.size > MOST_WAITING) this.#held.delete(this.#waiting[0].id);
    // Our own: `take` may be about to show it.
    if (article.dataset.author === account) setTimeout(() => this.#refresh(), MOMENT);
    else this.#refresh();
  }

  /** Whether something may appear without being asked for. */
  #mayMove() {
    if (this.#hasHole || articlesOf(this.list).length > MOST_SHOWN) return false;
    if (!this.newestFirst) return this.#isAtEnd() && !isWriting();
    if (!insertsByItself || document.hidden || scrollY >= 1) return false;
    return !this.list.matches(":hover, :focus-within");
  }

  #isAtEnd() {
    const { bottom } = this.list.getBoundingClientRect();
    return bottom <= innerHeight && !nextOf(this);
  }

  #showHeld(...manner) {
    for (const article of this.#waiting) {
      article.classList.add(...manner);
      this.#place(article);
    }
    this.#held.clear();
    this.#refresh();
  }

  #place(article) {
    let next = articlesOf(this.list).find((one) => this.#follows(one, article)) ?? null;
    while (next && next.parentElement !== this.list) next = next.parentElement;
    this.list.insertBefore(article, next);
  }

  /** Between what was seen and what is new. */
  #drawRule(oldest) {
    const time = clock(oldest.querySelector("time").dateTime);
    const words = make("span", {}, say(this.dataset.wordsSince, { time }));
    const rule = make("p", { className: "new-since", role: "separator" }, words);
    this.list.querySelector(".new-since")?.remove();
    this.list.insertBefore(rule, this.newestFirst ? oldest.nextSibling : oldest);
  }

  /** How much waits and whose it is; said once, a moment later. */
  #refresh() {
    const isEmpty = !this.#held.size && !this.#hasHole;
    const aloud = () => announce(this.#count("announce"));
    if (isEmpty) clearTimeout(this.#announcing);
    else if (this.pill.hidden) this.#announcing = setTimeout(aloud, MOMENT);
    this.pill.hidden = isEmpty;
    this.pill.querySelector(".pill-text").textContent = this.#count("new");
    this.pill.querySelector(".pill-faces").replaceChildren(...faces(this.#waiting.reverse()));
  }

  #count(what) {
    const n = this.#hasHole ? `${this.#held.size || 1}+` : this.#held.size;
    return say(this.getAttribute(`data-words-${what}-${n === 1 ? "one" : "many"}`), { n });
  }

  #compare(list) {
    const fresh = articlesOf(list);
    const ids = new Set(fresh.map(({ id }) => id));
    const known = this.#known;
    const end = nextOf(list) && fresh.at(-1);
    const isBeyond = (article) => end && this.#follows(article, end);
    this.#hasHole ||= known.length > 0 && known.every(isBeyond);
    for (const one of known) if (!ids.has(one.id) && !isBeyond(one)) this.withdraw(one.id);
    for (const article of byAge(fresh)) this.#arrive(article);
    this.dataset.position = list.dataset.position;
  }
});

const nextOf = (list) => list.querySelector("a[rel=next]");

function faces(articles) {
  const all = articles.map((one) => one.querySelector(".post-avatar > *, .notification-face > *"));
  const different = new Map(all.map((face) => [face.outerHTML, face]));
  return [...different.values()].slice(0, FACES).map((face) => document.importNode(face, true));
}

/** A reply below the list must not move while it is written. */
const isWriting = () => [...document.querySelectorAll("textarea")]
  .some((text) => text.matches(":focus") || text.value !== text.defaultValue);

function startOver() {
  scrollTo(0, 0);
  location.reload();
}
