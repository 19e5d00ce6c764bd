/** Keys: never while writing or with a modifier, and off if the reader says so (WCAG 2.1.4). */
import { onScreen } from "./articles.js";
import { compose, copyLink, goTo, linkOf } from "./frame.js";
import { pageAt } from "./html.js";
import { recall, remember } from "./memory.js";
import { common, toast } from "./words.js";

const PATIENCE = 1_500;
const PLACES = { h: "/", e: "/explore", n: "/notifications", s: "/settings" };
const KEYS = {
  n: () => compose() || location.assign("/posts/new"),
  j: () => step(1),
  k: () => step(-1),
  l: () => linkOf(current()) && copyLink(linkOf(current())),
  r: () => current()?.querySelector("[data-reply]")?.click(),
  o: open,
  Enter: open,
  ".": () => document.querySelector("live-timeline")?.release(),
  "?": show,
  g: () => (waiting = Date.now()),
};

let list = null; // from the page that is there for those without scripts
let waiting = 0; // since when "g" waits for its second key

const areOn = () => recall("shortcuts") ?? true;
const current = () => document.activeElement.closest("main article");

document.addEventListener("keydown", hear);

export function hear(event) {
  if (isForUs(event)) pressed(event);
}

export async function show() {
  const choice = document.querySelector("[data-shortcuts-switch]");
  const page = list ? null : await pageAt("/shortcuts").catch(() => null);
  list ??= page?.querySelector(".shortcuts");
  if (!list) return toast(common("offline"));
  choice.closest("dialog").firstElementChild.after(list);
  choice.checked = areOn();
  choice.onchange = () => remember("shortcuts", choice.checked);
  goTo("#shortcuts button");
}

function isForUs({ key, target, ctrlKey, metaKey, altKey, isComposing, defaultPrevented }) {
  if (ctrlKey || metaKey || altKey || isComposing || defaultPrevented || !areOn()) return false;
  if (key === "Enter" && !target.matches("article")) return false; // links have their own
  return !document.querySelector("dialog[open]") && !target.closest("input, textarea, select");
}

function pressed(event) {
  const act = Date.now() - waiting < PATIENCE ? leave : KEYS[event.key];
  waiting = 0;
  if (act) event.preventDefault();
  act?.(event);
}

function leave({ key }) {
  const url = key === "p" ? document.querySelector('.nav a[href^="/@"]')?.href : PLACES[key];
  if (url) location.assign(url);
}

function step(by) {
  const articles = [...document.querySelectorAll("main article")];
  const here = articles.indexOf(current());
  const next = here < 0 ? articles.find(onScreen) : articles[here + by];
  next?.focus({ preventScroll: true });
  next?.scrollIntoView({ block: "nearest" });
}

function open() {
  const url = linkOf(current()) ?? current()?.querySelector("blockquote a, a")?.href;
  if (url) location.assign(url);
}
