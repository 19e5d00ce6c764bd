/** Words for the reader. They come translated in the markup; here is no language. */
import { language, timeZone } from "./reader.js";

/** `words` with {n}, {time} … filled in. */
export const say = (words, values = {}) =>
  words.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);

/** Words every page has. */
export const common = (name, values) => say(document.getElementById("words").dataset[name], values);

/** Why a request came to nothing. */
export const excuse = ({ outcome, data }) =>
  data.error ?? common({ lost: "offline", "signed-out": "signedOut" }[outcome] ?? "failed");

/** Once and politely, to those who listen. */
export const announce = (words) => (document.getElementById("announcer").textContent = words);

let hiding = 0;

/** A small note at the bottom. */
export function toast(words) {
  const note = document.getElementById("toast");
  note.hidden = false;
  note.textContent = words;
  clearTimeout(hiding);
  hiding = setTimeout(() => (note.hidden = true), 4_000);
}

const write = (moment, dateStyle, timeStyle) =>
  new Date(moment).toLocaleString(language, { dateStyle, timeStyle, timeZone });

export const exact = (moment) => write(moment, "medium", "medium");

/** "14:05", with the day if that is not today. */
export function clock(moment) {
  const isToday = write(moment, "short") === write(Date.now(), "short");
  return write(moment, isToday ? undefined : "medium", "short");
}

const ago = new Intl.RelativeTimeFormat(language);
const now = new Intl.RelativeTimeFormat(language, { numeric: "auto" }).format(0, "second");
const UNITS = { year: 31_536_000, month: 2_592_000, week: 604_800, day: 86_400, hour: 3_600, minute: 60 };
const ENOUGH = 0.85; // of a unit is rounded up to it, as Babel does on the server

/** "5 minutes ago" */
export function relative(moment) {
  const seconds = (Date.now() - moment) / 1_000;
  const unit = Object.keys(UNITS).find((name) => seconds >= UNITS[name] * ENOUGH);
  return unit ? ago.format(-Math.round(seconds / UNITS[unit]), unit) : now;
}
