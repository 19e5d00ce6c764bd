/** Posts and notifications on the page: their order, their place on the screen, what changed. */
const number = ({ id }) => BigInt(id.slice(id.lastIndexOf("-") + 1));

export const older = (one, other) => number(one) < number(other);
export const byAge = (articles) => [...articles].sort((one, other) => (older(one, other) ? -1 : 1));
export const articlesOf = (list) => [...list.querySelectorAll("article[id]")];

export function onScreen(element) {
  const { top, bottom } = element.getBoundingClientRect();
  return bottom > 0 && top < innerHeight;
}

/** Change something, then scroll by as much as that moved what has focus, or is being read. */
export function keepingPlace(change) {
  const places = [":focus", "article"].flatMap((what) => [...document.querySelectorAll(`main ${what}`)]);
  const inView = places.filter(onScreen);
  const tops = inView.map((element) => element.getBoundingClientRect().top);
  change();
  const anchor = inView.findIndex((element) => element.isConnected);
  const moved = scrollY >= 1 && anchor >= 0 ? inView[anchor].getBoundingClientRect().top - tops[anchor] : 0;
  if (Math.abs(moved) >= 1) scrollBy({ top: moved, behavior: "instant" });
}

/** What stays on screen where a post was, as high as it was: what is below is being read. */
export function tombstone(article) {
  const { content } = document.getElementById("tombstone");
  const stone = document.importNode(content, true).querySelector("article");
  const { post, author, version } = article.dataset;
  Object.assign(stone.dataset, { post, author, version });
  stone.id = article.id;
  stone.style.minBlockSize = `${article.offsetHeight}px`;
  return stone;
}

/** Between the articles known here and a list as the server has it now. */
export function difference(known, list, isNewestFirst) {
  const fresh = byAge(articlesOf(list));
  const edge = fresh.at(isNewestFirst ? 0 : -1);
  const isWhole = !list.querySelector("a[rel=next]");
  const isCovered = (one) => isWhole || !(isNewestFirst ? older(one, edge) : older(edge, one));
  const same = (articles, { id }) => articles.find((one) => one.id === id);
  return {
    arrived: fresh.filter((one) => !same(known, one)),
    changed: fresh.filter((one) => same(known, one) && look(one) !== look(same(known, one))),
    gone: known.filter((one) => !same(fresh, one) && isCovered(one)),
    hole: known.length > 0 && !known.some(isCovered), // more came than the list holds
  };
}

const look = (article) =>
  [article.dataset.version, article.dataset.unread, article.querySelector(".action-count")?.textContent].join();
