/** Keeping the reader's place: what is being read stays where it is on the screen. */

/** @param {Element} element */
export function onScreen(element) {
  const { top, bottom } = element.getBoundingClientRect();
  return bottom > 0 && top < innerHeight;
}

/** Make a change, then scroll by as much as it moved what is being read. @param {() => void} change */
export function keepingPlace(change) {
  const held = inView().map((element) => ({ element, top: topOf(element) }));
  change();
  const anchor = held.find(({ element }) => element.isConnected);
  const moved = anchor ? topOf(anchor.element) - anchor.top : 0;
  if (Math.abs(moved) >= 1) scrollBy({ top: moved, behavior: "instant" });
}

/** What can be an anchor: the field being written in, then the posts on screen from the top. */
function inView() {
  const field = document.activeElement?.closest("textarea, input");
  const articles = [...document.querySelectorAll("main article")];
  return [...(field ? [field] : []), ...articles].filter(onScreen);
}

const topOf = (/** @type {Element} */ element) => element.getBoundingClientRect().top;
