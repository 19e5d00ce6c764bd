/** Keys. Never while writing, never with a modifier, and off when the reader says so (WCAG 2.1.4). */
import { compose, copyLink, open } from "./frame.js";
import { onScreen } from "./place.js";
import { recall, remember } from "./store.js";

const SECOND_KEY = 1_500;
const PLACES = { h: "/", e: "/explore", n: "/notifications", s: "/settings" };

const KEYS = {
  n: () => compose() || location.assign("/posts/new"),
  j: () => step(1),
  k: () => step(-1),
  l: () => current() && copyLink(current()),
  r: () => current()?.querySelector("[data-reply]")?.click(),
  o: openCurrent,
  Enter: openCurrent,
  ".": () => document.querySelector("live-timeline")?.release(),
  "?": () => open("shortcuts"),
  g: () => (waiting = Date.now()),
};

let waiting = 0; // since when "g" waits for its second key

export function listenToKeys() {
  const choice = /** @type {HTMLInputElement | null} */ (document.querySelector("[data-shortcuts-switch]"));
  if (choice) choice.checked = areOn();
  choice?.addEventListener("change", () => remember("shortcuts", choice.checked ? null : "off"));
  document.addEventListener("keydown", pressed);
}

const areOn = () => recall("shortcuts") !== "off";

/** @param {KeyboardEvent} event */
function pressed(event) {
  const { key, ctrlKey, metaKey, altKey, isComposing, defaultPrevented } = event;
  if (ctrlKey || metaKey || altKey || isComposing || defaultPrevented) return;
  if (!areOn() || document.querySelector("dialog[open]") || isForWriting(event.target)) return;
  if (key === "Enter" && document.activeElement !== current()) return;
  const isSecond = Date.now() - waiting < SECOND_KEY;
  waiting = 0;
  const act = isSecond ? goTo(key) : Object.hasOwn(KEYS, key) && KEYS[key];
  if (!act) return;
  event.preventDefault();
  act();
}

/** @param {EventTarget | null} target */
const isForWriting = (target) =>
  target instanceof Element && target.closest("input, textarea, select, [contenteditable]") !== null;

/** @param {string} key */
function goTo(key) {
  const own = document.querySelector('.nav a[href^="/@"]')?.getAttribute("href");
  const url = key === "p" ? own : Object.hasOwn(PLACES, key) && PLACES[key];
  return url && (() => location.assign(url));
}

/** The post the reader is on. @returns {HTMLElement | null} */
const current = () => document.activeElement?.closest("main article") ?? null;

/** @param {1 | -1} by */
function step(by) {
  const articles = /** @type {HTMLElement[]} */ ([...document.querySelectorAll("main article")]);
  const here = articles.indexOf(current());
  const next = here < 0 ? articles.find(onScreen) : articles[here + by];
  next?.focus({ preventScroll: true });
  next?.scrollIntoView({ block: "nearest" });
}

function openCurrent() {
  const link = current()?.querySelector("a.post-time, blockquote a, a");
  if (link) location.assign(link.href);
}
