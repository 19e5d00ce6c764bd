/** Moments as the reader's language and time zone write them. */
import { language, timeZone } from "./reader.js";

const format = (/** @type {Intl.DateTimeFormatOptions} */ options) =>
  new Intl.DateTimeFormat(language, { ...options, timeZone });

const ago = new Intl.RelativeTimeFormat(language, { numeric: "always" });
const now = new Intl.RelativeTimeFormat(language, { numeric: "auto" }).format(0, "second");
const exactly = format({ dateStyle: "medium", timeStyle: "medium" });
const hour = format({ timeStyle: "short" });
const dayAndHour = format({ dateStyle: "medium", timeStyle: "short" });
const day = format({ dateStyle: "short" });

/** Seconds in each unit, and the share of one that is rounded up to it: as Babel does on the server. */
const UNITS = /** @type {const} */ ([
  ["year", 31_536_000],
  ["month", 2_592_000],
  ["week", 604_800],
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
]);
const ENOUGH = 0.85;

/** "5 minutes ago" @param {Date} moment */
export function relative(moment) {
  const seconds = Math.max(0, Date.now() - moment.getTime()) / 1_000;
  const unit = UNITS.find(([, length]) => seconds / length >= ENOUGH);
  return unit ? ago.format(-Math.round(seconds / unit[1]), unit[0]) : now;
}

/** @param {Date} moment */
export const exact = (moment) => exactly.format(moment);

/** "14:05", with the day if that is not today. @param {Date} moment */
export function clock(moment) {
  const today = day.format(moment) === day.format(new Date());
  return (today ? hour : dayAndHour).format(moment);
}
