/**
 * A list that lives without moving under the reader. New posts wait behind the pill, in order;
 * edits and deletions are applied at once, to those that wait as well.
 */
import { articlesOf, byAge, difference, moment, older, tombstone } from "../lib/articles.js";
import { element } from "../lib/html.js";
import { live } from "../lib/live.js";
import { Pill } from "../lib/pill.js";
import { keepingPlace, onScreen } from "../lib/place.js";
import { account, insertsByItself } from "../lib/reader.js";
import { clock } from "../lib/times.js";
import { say } from "../lib/words.js";

const MOST_WAITING = 200;
const MOST_SHOWN = 400;
const OWN_ANSWER = 1_000;

class LiveTimeline extends HTMLElement {
  /** @type {Map<string, HTMLElement>} */
  #held = new Map();
  #hole = false; // more came than can be held: asking for it means asking for the page

  connectedCallback() {
    const pill = /** @type {HTMLElement} */ (this.querySelector(".pill"));
    pill.onclick = () => this.release();
    this.pill = new Pill(pill, this.dataset);
    this.list = /** @type {HTMLElement} */ (this.querySelector(".timeline-posts"));
    live.addEventListener("change", this);
    live.addEventListener("fresh", this);
  }

  disconnectedCallback() {
    live.removeEventListener("change", this);
    live.removeEventListener("fresh", this);
  }

  /** @param {CustomEvent} event */
  handleEvent({ type, detail }) {
    if (type === "fresh") return this.#compare(detail);
    if (detail.target !== this.dataset.target) return;
    if (detail.action === "remove") this.withdraw(detail.element);
    else if (detail.action === "replace") this.#replace(element(detail.html));
    else this.#arrive(element(detail.html));
  }

  /** Show what waits, as the reader asked. */
  release() {
    const arrived = byAge(this.#held.values());
    if (!arrived.length) return;
    if (this.#hole) return startOver();
    this.#showHeld();
    this.#drawRule(arrived[0]);
    this.#goTo(this.#newestFirst ? arrived[arrived.length - 1] : arrived[0]);
  }

  /**
   * The reader's own post, as the server answered it: shown at once.
   * @param {string} html @param {boolean} isReply @returns whether it belongs on this list
   */
  take(html, isReply) {
    if (!this.#takesOwn(isReply)) return false;
    const article = element(html);
    this.#held.delete(article.id);
    this.#refresh();
    if (this.#find(article.id)) return true;
    if (this.list.getBoundingClientRect().top >= 0) this.#place(article);
    else keepingPlace(() => this.#place(article));
    return true;
  }

  /** It is gone: a tombstone where it was on screen, else no trace. @param {string} id */
  withdraw(id) {
    if (this.#held.delete(id)) return this.#refresh();
    const article = this.#find(id);
    if (!article) return;
    const focused = article.contains(document.activeElement);
    const stone = article.dataset.post && onScreen(article) ? tombstone(article) : null;
    keepingPlace(() => (stone ? article.replaceWith(stone) : article.remove()));
    if (focused) (stone ?? articlesOf(this.list).find(onScreen))?.focus({ preventScroll: true });
  }

  get #newestFirst() {
    return this.dataset.order !== "oldest";
  }

  get #isLive() {
    return this.dataset.live === "true";
  }

  /** @param {string} id */
  #find(id) {
    return /** @type {HTMLElement | null} */ (this.list.querySelector(`#${CSS.escape(id)}`));
  }

  /** @param {HTMLElement} article */
  #arrive(article) {
    const known = this.#held.get(article.id) ?? this.#find(article.id);
    if (known && Number(known.dataset.version) >= Number(article.dataset.version)) return;
    if (known) this.#replace(article);
    else if (this.#isLive) this.#hold(article);
  }

  /** @param {HTMLElement} article */
  #hold(article) {
    this.#held.set(article.id, article);
    if (this.#mayMove()) return this.#showHeld("post-arrived");
    if (this.#held.size > MOST_WAITING) this.#dropOldest();
    // Our own while its answer is under way: `take` will have shown it by then.
    if (article.dataset.author === account && document.querySelector("post-composer [aria-busy=true]")) {
      setTimeout(() => this.#refresh(), OWN_ANSWER);
    } else this.#refresh();
  }

  #dropOldest() {
    this.#hole = true;
    this.#held.delete(this.#held.keys().next().value ?? "");
  }

  /** Whether something may appear without being asked for. */
  #mayMove() {
    if (this.#hole || articlesOf(this.list).length > MOST_SHOWN) return false;
    if (!this.#newestFirst) return this.#endIsInView() && !document.querySelector("textarea:focus");
    if (!insertsByItself() || document.hidden || scrollY >= 1) return false;
    return !this.list.matches(":hover, :focus-within");
  }

  #endIsInView() {
    const { bottom } = this.list.getBoundingClientRect();
    return bottom <= innerHeight && !this.querySelector("a[rel=next]");
  }

  /** @param {string} [manner] a class */
  #showHeld(manner) {
    for (const article of byAge(this.#held.values())) {
      if (manner) article.classList.add(manner);
      this.#place(article);
    }
    this.#held.clear();
    this.#refresh();
  }

  #refresh() {
    this.pill.show(byAge(this.#held.values()), this.#hole);
  }

  /** @param {HTMLElement} article */
  #place(article) {
    const follows = (/** @type {HTMLElement} */ other) =>
      this.#newestFirst ? older(other, article) : older(article, other);
    let next = articlesOf(this.list).find(follows) ?? null;
    while (next && next.parentElement !== this.list) next = next.parentElement;
    this.list.insertBefore(article, next);
  }

  /** @param {HTMLElement} article */
  #replace(article) {
    if (this.#held.has(article.id)) this.#held.set(article.id, article);
    const shown = this.#find(article.id);
    if (!shown) return;
    const focused = shown.contains(document.activeElement);
    keepingPlace(() => shown.replaceWith(article));
    if (focused) article.focus({ preventScroll: true });
  }

  /** @param {boolean} isReply */
  #takesOwn(isReply) {
    const [stream, id] = (this.dataset.stream ?? "").split(":");
    if (!this.#isLive) return false;
    if (stream === "thread") return isReply;
    return stream === "home" || stream === "public" || (stream === "account" && id === account);
  }

  /** A thin line between what was seen and what is new. @param {HTMLElement} oldest */
  #drawRule(oldest) {
    this.list.querySelector(".new-since")?.remove();
    const isBesideOthers = this.#newestFirst ? oldest.nextElementSibling : oldest.previousElementSibling;
    if (!isBesideOthers) return;
    const rule = document.createElement("p");
    const words = document.createElement("span");
    Object.assign(rule, { className: "new-since", role: "separator" });
    words.textContent = say(this.dataset.wordsSince, { time: clock(moment(oldest)) });
    rule.append(words);
    if (this.#newestFirst) oldest.after(rule);
    else oldest.before(rule);
  }

  /** @param {HTMLElement} article */
  #goTo(article) {
    const isNearTop = this.getBoundingClientRect().top + scrollY < innerHeight / 2;
    if (this.#newestFirst && isNearTop) scrollTo({ top: 0, behavior: "instant" });
    else article.scrollIntoView({ block: "start", behavior: "instant" });
    article.focus({ preventScroll: true });
  }

  /** The page as it is now, after a gap that could not be replayed. @param {Document} page */
  #compare(page) {
    const fresh = page.querySelector(`live-timeline[data-target="${this.dataset.target}"]`);
    if (!fresh) return;
    const known = [...articlesOf(this.list), ...this.#held.values()];
    const { arrived, changed, gone, hole } = difference(known, fresh, this.#newestFirst);
    this.dataset.position = fresh.dataset.position;
    this.#hole ||= hole && this.#isLive;
    changed.forEach((article) => this.#replace(article));
    gone.forEach(({ id }) => this.withdraw(id));
    arrived.forEach((article) => this.#arrive(article));
  }
}

/** Too much came to be put above what is here: take the page as it is now. */
function startOver() {
  history.scrollRestoration = "manual";
  location.reload();
}

customElements.define("live-timeline", LiveTimeline);
