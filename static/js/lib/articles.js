/** What can be said of posts and notifications by looking at their articles. */

const number = (/** @type {HTMLElement} */ article) =>
  BigInt(article.id.slice(article.id.lastIndexOf("-") + 1));

/** @param {HTMLElement} one @param {HTMLElement} other */
export const older = (one, other) => number(one) < number(other);

/** Oldest first. @param {Iterable<HTMLElement>} articles */
export const byAge = (articles) => [...articles].sort((one, other) => (older(one, other) ? -1 : 1));

/** @param {ParentNode} list @returns {HTMLElement[]} */
export const articlesOf = (list) => [...list.querySelectorAll("article[id]")];

/** When it was written. @param {HTMLElement} article */
export const moment = (article) =>
  new Date(article.querySelector("[datetime]")?.getAttribute("datetime") ?? Date.now());

/** What stays on screen where a post was. @param {HTMLElement} article */
export function tombstone(article) {
  const template = /** @type {HTMLTemplateElement} */ (document.getElementById("tombstone"));
  const stone = document.importNode(template.content, true).querySelector("article");
  const { post, author, version } = article.dataset;
  Object.assign(stone.dataset, { post, author, version });
  stone.id = article.id;
  stone.style.minBlockSize = `${article.offsetHeight}px`; // what is below is being read
  return stone;
}

/**
 * What changed between the articles known here and a list as the server has it now.
 * @param {HTMLElement[]} known @param {HTMLElement} fresh @param {boolean} newestFirst
 */
export function difference(known, fresh, newestFirst) {
  const present = new Map(byAge(articlesOf(fresh)).map((article) => [article.id, article]));
  const ids = new Set(known.map(({ id }) => id));
  const isWhole = !fresh.querySelector("a[rel=next]");
  const edge = newestFirst ? [...present.values()][0] : [...present.values()].at(-1);
  const isReached = (/** @type {HTMLElement} */ article) =>
    isWhole || !(newestFirst ? older(article, edge) : older(edge, article));
  return {
    arrived: [...present.values()].filter(({ id }) => !ids.has(id)),
    changed: known.map(({ id }) => present.get(id)).filter((now, at) => now && !alike(now, known[at])),
    gone: known.filter((article) => !present.has(article.id) && isReached(article)),
    hole: known.length > 0 && !known.some(isReached), // between what is known and what is fresh
  };
}

/** @param {HTMLElement} one @param {HTMLElement} other */
const alike = (one, other) => content(one) === content(other);

const content = (/** @type {HTMLElement} */ article) =>
  [
    article.dataset.version,
    article.dataset.unread,
    article.classList.contains("post-deleted"),
    article.querySelector(".action-count")?.textContent,
  ].join();
