/** Telling the server what was really seen, so that no mail is sent about it. */
import { live } from "./live.js";

const ENOUGH = 1_000;
const BATCH = 50;
const WATCHED = "article[id^='post-'], article[id^='notification-']";

/** Element → since when it has been in view before an attentive reader. @type {Map<Element, number>} */
const inView = new Map();
/** @type {string[]} */
const waiting = [];
const told = new Set();

export function watchWhatIsSeen() {
  const steps = Array.from({ length: 11 }, (_, step) => step / 10);
  const views = new IntersectionObserver(note, { threshold: steps });
  const watch = (/** @type {ParentNode} */ part) =>
    part.querySelectorAll(WATCHED).forEach((article) => views.observe(article));
  new MutationObserver((changes) => {
    if (changes.some(({ addedNodes }) => addedNodes.length)) watch(document);
  }).observe(document.querySelector("main") ?? document.body, { childList: true, subtree: true });
  watch(document);
  setInterval(look, ENOUGH / 4);
  setInterval(tell, ENOUGH);
}

/** @param {IntersectionObserverEntry[]} entries */
function note(entries) {
  for (const { target, intersectionRatio, intersectionRect, rootBounds } of entries) {
    const fills = intersectionRect.height >= 0.6 * (rootBounds?.height ?? Infinity);
    if (intersectionRatio < 0.6 && !fills) inView.delete(target);
    else if (!inView.has(target) && !told.has(target.id)) inView.set(target, performance.now());
  }
}

function look() {
  const now = performance.now();
  const attentive = document.hasFocus() && !document.hidden;
  for (const [target, since] of inView) {
    if (!attentive || !target.isConnected) inView.set(target, now);
    else if (now - since >= ENOUGH) seen(target);
  }
}

/** @param {Element} target */
function seen(target) {
  inView.delete(target);
  if (told.has(target.id)) return;
  told.add(target.id);
  waiting.push(target.id);
}

function tell() {
  if (waiting.length && live.send({ type: "seen", elements: waiting.slice(0, BATCH) })) {
    waiting.splice(0, BATCH);
  }
}
