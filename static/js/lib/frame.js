/** What every page needs, whatever else is on it: the theme, dialogs, copying links. */
import { account } from "./reader.js";
import { recall } from "./store.js";
import { common, toast } from "./words.js";

const root = document.documentElement;

export function prepare() {
  root.dataset.script = "";
  if (!account) root.dataset.theme = recall("theme") ?? root.dataset.theme;
  for (const field of document.querySelectorAll("[data-auto-time-zone]")) {
    field.value ||= Intl.DateTimeFormat().resolvedOptions().timeZone;
  }
  document.addEventListener("click", pressed);
}

/** Go to the field for writing, wherever it is. @returns whether there is one */
export function compose() {
  const field = /** @type {HTMLElement | null} */ (document.querySelector("post-composer textarea"));
  /** @type {HTMLDialogElement | null | undefined} */ (field?.closest("dialog"))?.showModal();
  field?.focus();
  return Boolean(field);
}

/** @param {string} id @returns whether there is such a dialog */
export function open(id) {
  const dialog = document.getElementById(id);
  if (!(dialog instanceof HTMLDialogElement)) return false;
  if (!dialog.open) dialog.showModal();
  return true;
}

/** @param {Element | null | undefined} article */
export async function copyLink(article) {
  const url = new URL(article?.dataset.path ?? "", location.origin).href;
  const words = await navigator.clipboard?.writeText(url).then(
    () => common("copied"),
    () => "",
  );
  toast(words || common("copyFailed", { url }));
}

/** @param {MouseEvent} event */
function pressed(event) {
  const target = /** @type {HTMLElement} */ (event.target);
  const isPlain = !event.ctrlKey && !event.metaKey && !event.shiftKey;
  if (target instanceof HTMLDialogElement || target.closest("[data-close-dialog]")) {
    target.closest("dialog")?.close();
  } else if (target.closest("[data-copy-link]")) copyLink(target.closest("article"));
  else if (isPlain && target.closest("a[data-compose]") && compose()) event.preventDefault();
  else if (isPlain && target.closest('a[href="/shortcuts"]') && open("shortcuts")) event.preventDefault();
}
