/** Posts and notifications: their order, and their place on the screen. */
const number = ({ id }) => BigInt(id.split("-")[1]);
const topOf = (element) => element.getBoundingClientRect().top;

export const older = (one, other) => number(one) < number(other);
export const byAge = (articles) => [...articles].sort((one, other) => (older(one, other) ? -1 : 1));
export const articlesOf = (list) => [...list.querySelectorAll("article[id]")];

export function onScreen(element) {
  const { top, bottom } = element.getBoundingClientRect();
  return bottom > 0 && top < innerHeight;
}

/** Change something, then scroll by as much as that moved what has focus or is being read. */
export function keepingPlace(change) {
  const focused = document.querySelectorAll("main :focus");
  const inView = [...focused, ...articlesOf(document)].filter(onScreen);
  const tops = new Map(inView.map((element) => [element, topOf(element)]));
  change();
  const anchor = scrollY >= 1 && inView.find((element) => element.isConnected);
  const moved = anchor ? topOf(anchor) - tops.get(anchor) : 0;
  if (Math.abs(moved) >= 1) scrollBy(0, moved);
}

/** What stays where a post was, as high as it was: what is below is being read. */
export function tombstone({ id, dataset: { author }, offsetHeight }, words) {
  const { content } = document.getElementById("tombstone");
  const stone = content.firstElementChild.cloneNode(true);
  stone.dataset.author = author;
  stone.style.minBlockSize = `${offsetHeight}px`;
  stone.id = id;
  if (words) stone.firstElementChild.textContent = words;
  return stone;
}
