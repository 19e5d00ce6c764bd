/** Words for the reader: the markup has them. */
import { language, timeZone } from "./reader.js";

const part = (id) => document.getElementById(id);

/** Fills in {n}, {time} … */
export const say = (words, values = {}) => words.replace(/\{(\w+)\}/g, (_, name) => values[name]);
export const counted = ({ wordsOne, wordsMany }, n) => say(n === 1 ? wordsOne : wordsMany, { n });
export const common = (name, values) => say(part("words").dataset[name], values);

/** For an answer, or for what was thrown instead of a page. */
export const excuse = ({ outcome = "offline", data }) =>
  (outcome === "failed" && data.error) || common(outcome);

/** Or says why not. */
export const isDone = (answer) => answer.outcome === "done" || toast(excuse(answer));

export const announce = (words) => (part("announcer").textContent = words);

let hiding = 0;
export function toast(words) {
  const shown = part("toast");
  shown.hidden = false;
  shown.textContent = words;
  clearTimeout(hiding);
  hiding = setTimeout(() => (shown.hidden = true), 4000);
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
const UNITS = { year: 31_536e3, month: 2592e3, week: 604800, day: 86400, hour: 3600, minute: 60 };
const ENOUGH = 0.85; // of a unit is rounded up to it, as Babel does on the server

export function relative(moment) {
  const seconds = (Date.now() - new Date(moment)) / 1000;
  const unit = Object.keys(UNITS).find((name) => seconds >= UNITS[name] * ENOUGH);
  return unit ? ago.format(-Math.round(seconds / UNITS[unit]), unit) : now;
}
