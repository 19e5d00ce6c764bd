/** What every page needs: dialogs, copying links. */
import { common, toast } from "./words.js";

document.documentElement.dataset.script = "";
document.addEventListener("click", pressed);

/** @returns it, if it is there */
export function goTo(selector) {
  const part = document.querySelector(selector);
  part?.closest("dialog")?.showModal();
  part?.focus();
  return part;
}

export const compose = () => goTo("post-composer textarea");

/** Of a post; a notification has none. */
export const linkOf = (article) => article?.querySelector(".post-time")?.href;

export async function copyLink(url) {
  const copied = await navigator.clipboard?.writeText(url).then(() => true, () => false);
  toast(common(copied ? "copied" : "copyFailed", { url }));
}

function showKeys(event) {
  event.preventDefault();
  import("./shortcuts.js").then(({ show }) => show(), () => toast(common("offline")));
}

function pressed(event) {
  const on = (part) => event.target.closest(part);
  const isPlain = !(event.ctrlKey || event.metaKey || event.shiftKey);
  if (on("[data-copy-link]")) copyLink(linkOf(on("article")));
  else if (isPlain && on("a[data-compose]") && compose()) event.preventDefault();
  else if (isPlain && on('a[href="/shortcuts"]')) showKeys(event);
}
