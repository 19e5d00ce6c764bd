/** What every page needs: dialogs, copying links. */
import { common, toast } from "./words.js";

export function prepare() {
  document.documentElement.dataset.script = "";
  for (const field of document.querySelectorAll("[data-auto-time-zone]")) {
    field.value ||= Intl.DateTimeFormat().resolvedOptions().timeZone;
  }
  document.addEventListener("click", pressed);
}

/** @returns whether the page has it */
function goTo(selector) {
  const part = document.querySelector(selector);
  part?.closest("dialog")?.showModal();
  part?.focus();
  return Boolean(part);
}

export const compose = () => goTo("post-composer textarea");
export const showShortcuts = () => goTo("#shortcuts button");

export async function copyLink({ dataset: { path } }) {
  const url = location.origin + path;
  const copied = await navigator.clipboard?.writeText(url).then(() => true, () => false);
  toast(copied ? common("copied") : common("copyFailed", { url }));
}

function pressed(event) {
  const on = (part) => event.target.closest(part);
  const isPlain = !(event.ctrlKey || event.metaKey || event.shiftKey);
  if (on("[data-copy-link]")) copyLink(on("article"));
  else if (on("[data-close-dialog]")) on("dialog").close();
  else if (isPlain && on("a[data-compose]") && compose()) event.preventDefault();
  else if (isPlain && on('a[href="/shortcuts"]') && showShortcuts()) event.preventDefault();
}
