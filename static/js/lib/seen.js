/** Telling the server what was really seen, so that no mail is sent about it. */
import { articlesOf } from "./articles.js";
import { live } from "./live.js";

const LONG_ENOUGH = 1_000;
const MOST = 50;
const inView = new Map(); // article → since when, before an attentive reader
const told = new Set();
const waiting = [];

export function watchWhatIsSeen() {
  const threshold = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1];
  const views = new IntersectionObserver((entries) => entries.forEach(note), { threshold });
  const watch = () => articlesOf(document).forEach((article) => views.observe(article));
  new MutationObserver(watch).observe(document.body, { childList: true, subtree: true });
  watch();
  setInterval(look, LONG_ENOUGH / 4);
  setInterval(tell, LONG_ENOUGH);
}

function note({ target, intersectionRatio, intersectionRect, rootBounds }) {
  const fillsTheScreen = intersectionRect.height >= 0.6 * rootBounds.height;
  if (intersectionRatio < 0.6 && !fillsTheScreen) inView.delete(target);
  else if (!inView.has(target)) inView.set(target, performance.now());
}

function look() {
  const now = performance.now();
  const isAttentive = document.hasFocus() && !document.hidden;
  for (const [article, since] of inView) {
    if (!isAttentive) inView.set(article, now);
    else if (now - since >= LONG_ENOUGH) see(article);
  }
}

function see(article) {
  inView.delete(article);
  if (!told.has(article.id)) waiting.push(article.id);
  told.add(article.id);
}

function tell() {
  const elements = waiting.slice(0, MOST);
  if (elements.length && live.send({ type: "seen", elements })) waiting.splice(0, MOST);
}
