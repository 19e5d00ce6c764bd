/** A list that does not move under the reader: new posts wait behind the pill, in order. */
import { articlesOf, byAge, keepingPlace, older, onScreen, tombstone } from "../lib/articles.js";
import { element, make, pageAt } from "../lib/html.js";
import { listen } from "../lib/live.js";
import { account, insertsByItself } from "../lib/reader.js";
import { announce, clock, counted, excuse, say, toast } from "../lib/words.js";

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
    listen(this, {
      change: (change) => change.target === target && this.#apply(change),
      fresh: (page) => this.#compare(page.querySelector("live-timeline")),
    });
  }

  /** The press is answered at once; what takes longer waits until that is on the screen. */
  release() {
    this.pill.hidden = true;
    requestAnimationFrame(() => setTimeout(() => this.#release()));
  }

  #release() {
    if (this.#hasHole) return this.#startOver();
    const arrived = this.#waiting;
    if (!arrived.length) return;
    this.#showHeld();
    this.#drawRule(arrived[0]);
    const first = arrived.at(this.newestFirst ? -1 : 0);
    first.scrollIntoView({ block: "center" });
    this.#focus(first);
  }

  /** Where there is no page now, this one is better than the browser's excuse. */
  async #startOver() {
    const failed = await pageAt(location.href).then(() => null, excuse);
    if (failed) {
      toast(failed);
      this.#refresh();
      this.pill.focus();
    } else {
      scrollTo(0, 0);
      location.reload();
    }
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

  /** A tombstone, with these words if any, where it was on screen; else no trace. */
  withdraw(id, words) {
    const shown = this.#find(id);
    if (this.#held.delete(id)) this.#refresh();
    const isRead = shown?.matches(".post") && onScreen(shown);
    if (shown) this.#swap(shown, isRead ? tombstone(shown, words) : null);
  }

  get #waiting() { return byAge(this.#held.values()); }
  get #known() { return [...articlesOf(this.list), ...this.#held.values()]; }
  #find(id) { return this.list.querySelector(`#${id}`); }
  #follows(one, other) { return this.newestFirst ? older(one, other) : older(other, one); }

  #apply({ action, element: id, html, words }) {
    if (action === "remove") for (const one of this.#named(id)) this.withdraw(one.id, words);
    else if (action === "replace") this.#replace(element(html));
    else if (!this.#find(id)?.matches(":not(.post-deleted)")) this.#arrive(element(html));
  }

  /** One, or all of a person who is suspended. */
  #named(name) {
    return this.#known.filter(({ id, dataset }) => [id, `author-${dataset.author}`].includes(name));
  }

  #replace(article) {
    const shown = this.#find(article.id);
    if (this.#held.has(article.id)) this.#held.set(article.id, article);
    if (shown) this.#swap(shown, article);
  }

  #swap(shown, other) {
    const hadFocus = shown.contains(document.activeElement);
    keepingPlace(() => (other ? shown.replaceWith(other) : shown.remove()));
    if (hadFocus) this.#focus(other);
  }

  #focus(article) {
    const next = article ?? articlesOf(this.list).find(onScreen) ?? this.closest("main");
    next.focus({ preventScroll: true });
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
    const next = articlesOf(this.list).find((one) => this.#follows(one, article));
    this.list.insertBefore(article, next?.closest(".timeline-posts > *") ?? null);
  }

  /** Between what was seen and what is new. */
  #drawRule(oldest) {
    const time = clock(oldest.querySelector("time").dateTime);
    const words = make("span", {}, say(this.dataset.wordsSince, { time }));
    const rule = make("p", { className: "new-since", role: "separator" }, words);
    this.list.querySelector(".new-since")?.remove();
    oldest[this.newestFirst ? "after" : "before"](rule);
  }

  /** How much waits and whose it is; said once, a moment later. */
  #refresh() {
    const isEmpty = !this.#held.size && !this.#hasHole;
    const n = this.#hasHole ? `${this.#held.size || 1}+` : this.#held.size;
    const [shownFaces, words] = this.pill.children;
    if (isEmpty && this.pill.matches(":focus")) this.#focus();
    if (isEmpty) clearTimeout(this.#announcing);
    else if (this.pill.hidden) this.#announcing = setTimeout(() => announce(words.textContent), MOMENT);
    this.pill.hidden = isEmpty;
    words.textContent = counted(this.dataset, n);
    shownFaces.replaceChildren(...faces(this.#waiting.reverse()));
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
  return [...different.values()].slice(0, FACES).map((face) => face.cloneNode(true));
}

/** A reply below the list must not move while it is written. */
const isWriting = () => [...document.querySelectorAll("textarea")]
  .some((text) => text.matches(":focus") || text.value !== text.defaultValue);
