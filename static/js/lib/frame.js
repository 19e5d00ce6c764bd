/** What every page needs, whatever else is on it: dialogs, copying links. */
import { common, toast } from "./words.js";

export function prepare() {
  document.documentElement.dataset.script = "";
  for (const field of document.querySelectorAll("[data-auto-time-zone]")) {
    field.value ||= Intl.DateTimeFormat().resolvedOptions().timeZone;
  }
  document.addEventListener("click", pressed);
}

/** Go to the field for writing, wherever it is. @returns whether there is one */
export function compose() {
  const field = document.querySelector("post-composer textarea");
  field?.closest("dialog")?.showModal();
  field?.focus();
  return Boolean(field);
}

export function showShortcuts() {
  const dialog = document.getElementById("shortcuts");
  dialog?.showModal();
  return Boolean(dialog);
}

export async function copyLink({ dataset: { path } }) {
  const url = location.origin + path;
  const copied = await navigator.clipboard?.writeText(url).then(() => true, () => false);
  toast(copied ? common("copied") : common("copyFailed", { url }));
}

function pressed(event) {
  const on = (part) => event.target.closest(part);
  const isPlain = !event.ctrlKey && !event.metaKey && !event.shiftKey;
  if (on("[data-copy-link]")) copyLink(on("article"));
  else if (on("[data-close-dialog]") || event.target.matches("dialog")) on("dialog").close();
  else if (isPlain && on("a[data-compose]") && compose()) event.preventDefault();
  else if (isPlain && on('a[href="/shortcuts"]') && showShortcuts()) event.preventDefault();
}
