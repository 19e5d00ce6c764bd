/** Telling the server what was seen: no mail is sent about it. */
import { articlesOf } from "./articles.js";
import { send } from "./connection.js";

const ENOUGH = 1000;
const MOST = 50;
const threshold = [0.2, 0.4, 0.6, 0.8, 1];
const views = new IntersectionObserver((entries) => entries.forEach(note), { threshold });
const inView = new Map(); // article → since when
const seen = new Set();
const untold = [];

export function watchWhatIsSeen() {
  setInterval(look, ENOUGH / 4);
  setInterval(tell, ENOUGH);
}

function note({ target, intersectionRatio, intersectionRect, rootBounds }) {
  const fillsTheScreen = intersectionRect.height >= 0.6 * rootBounds.height;
  if (intersectionRatio < 0.6 && !fillsTheScreen) inView.delete(target);
  else if (!seen.has(target.id)) inView.set(target, inView.get(target) ?? performance.now());
}

function look() {
  for (const article of articlesOf(document)) views.observe(article);
  const isAttentive = document.hasFocus() && !document.hidden;
  for (const [article, since] of inView) {
    if (!isAttentive) inView.set(article, performance.now());
    else if (performance.now() - since >= ENOUGH) see(article);
  }
}

function see(article) {
  inView.delete(article);
  seen.add(article.id);
  untold.push(article.id);
}

function tell() {
  const elements = untold.slice(0, MOST);
  if (elements.length && send({ type: "seen", elements })) untold.splice(0, MOST);
}
