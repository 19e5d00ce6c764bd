/** Who somebody is, beside their name: where a mouse rests, or where a key has led to. */
import { element, textAt } from "../lib/html.js";
import "./follow-button.js";

const REST = 400;
const LEAVE = 250;
const GAP = 8;
const PEOPLE = ':is(main, aside) a[href^="/@"]:not(.action, .button, .tab, .menu-item)';

let link = null; // whose card is wanted
let card = null;
let timer = 0;

customElements.define("hover-card", class extends HTMLElement {
  connectedCallback() {
    const { top, bottom, left } = this.previousElementSibling.getBoundingClientRect();
    this.showPopover();
    const { offsetHeight: height, offsetWidth: width } = this;
    const fitsBelow = bottom + GAP + height <= innerHeight || top < GAP + height;
    const x = Math.max(GAP, Math.min(left, document.body.clientWidth - width - GAP));
    const y = fitsBelow ? bottom + GAP : top - GAP - height;
    Object.assign(this.style, { left: `${x + scrollX}px`, top: `${y + scrollY}px` });
  }
});

document.addEventListener("pointerover", ({ target, pointerType }) =>
  pointerType === "mouse" && turnTo(target));
document.addEventListener("focusin", ({ target }) =>
  turnTo(target.matches(":focus-visible") ? target : null));
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !card) return;
  event.preventDefault();
  if (card.contains(document.activeElement)) link.focus();
  close();
});

function turnTo(target) {
  clearTimeout(timer);
  const next = target?.closest(PEOPLE);
  if (target && card?.contains(target)) return;
  if (!isPerson(next)) timer = setTimeout(leave, LEAVE);
  else if (next !== link || !card) timer = setTimeout(open, REST, next);
}

/** A profile, and not the one that this page is about. */
const isPerson = (one) =>
  one && /^\/@[^/]+$/.test(one.pathname) && one.pathname !== location.pathname;

async function open(next) {
  close();
  link = next;
  const html = await textAt(`${next.pathname}/card`).catch(() => "");
  const part = element(html);
  if (link !== next || !next.isConnected || part?.localName !== "hover-card") return;
  card = part;
  next.after(card);
}

/** What a key has led to stays until a key leads away. */
function leave() {
  const isUsed = card?.querySelector(":focus-visible") || link?.matches(":focus-visible");
  if (!isUsed) close();
}

function close() {
  card?.remove();
  link = card = null;
}

turnTo([...document.querySelectorAll(":hover, :focus-visible")].at(-1)); // what led to this script
