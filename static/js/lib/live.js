/** What the connection says: each change and count, once and in order. */
import { open, retry, SIGNED_OUT, steady, stop } from "./connection.js";
import { pageAt, textAt } from "./html.js";
import { account } from "./reader.js";

const ASKS = 3; // after so many failures: a refused handshake looks like a dead line
const REFUSALS = { 401: "signed-out", 404: "gone", 429: "full" };

/** until: up to when nothing is missing; arrived: posts since the last hello */
export const live = { state: "connecting", until: Date.now(), arrived: 0 };

const listeners = new Map();
const applied = new Set(); // messages of event `last`
let last = 0;
let newest = ""; // the position of that event
let complete = ""; // the position up to which all has arrived
let stream = "";
let isStale = false;

export function start(position, wanted) {
  stream = wanted;
  reached(position);
  open({ address, receive, lost, refused });
}

/** hears {change, count, state, fresh}; fresh: the page as it is now, where no replay can help */
export const listen = (element, hears) => listeners.set(element, hears);

async function address(attempts) {
  if (isStale) await lookAfresh();
  const url = new URL("/live", location);
  url.search = new URLSearchParams(complete ? { stream, since: complete } : { stream });
  if (attempts % ASKS === ASKS - 1) await textAt(url);
  url.protocol = url.protocol.replace("http", "ws");
  return url;
}

/** There may be room later; what is gone may be so for a proxy alone, while the site restarts. */
function refused({ status }) {
  const state = REFUSALS[status];
  if (state === "signed-out") stop();
  if (state) become(state);
}

function receive(message) {
  const { type, position } = message;
  live.until = Date.now();
  if (type === "hello") greeted(message);
  else if (type === "event") isNew(message) && apply(message);
  else if (type === "count") tell(type, message);
  else if (type === "reset") reset(position);
  else reached(position);
  if (type === "caught_up") caughtUp();
}

function lost() {
  if (live.state === "live" || live.state === "caught-up") become("reconnecting");
}

/** Somebody else in place of the reader? Their posts do not belong. */
function greeted({ position, account: asked }) {
  live.arrived = 0;
  if (!complete) reached(position);
  if (account && asked !== account) refused(SIGNED_OUT);
}

/** One event may come as several messages: only the next id proves the last event complete. */
function isNew({ id, position, action, target, element }) {
  if (id < last) return false;
  if (id > last) {
    complete = newest;
    last = id;
    applied.clear();
  }
  newest = position;
  const message = [action, target, element].join();
  return !applied.has(message) && applied.add(message);
}

function apply(message) {
  if (message.action === "insert" && message.target === "timeline") live.arrived += 1;
  tell("change", message);
}

function reached(position) {
  complete = newest = position;
}

function caughtUp() {
  steady();
  become(live.arrived || live.state === "reconnecting" ? "caught-up" : "live");
}

function reset(position) {
  last = 0;
  if (!document.querySelector("[data-position]")) return reached(position);
  isStale = true;
  retry(1012);
}

async function lookAfresh() {
  const page = await pageAt(location.href);
  if (page.body.dataset.account !== account) throw SIGNED_OUT;
  reached(page.querySelector("[data-position]")?.dataset.position);
  isStale = false;
  tell("fresh", page);
}

function become(state) {
  live.state = state;
  tell("state", live);
}

function tell(what, detail) {
  for (const [element, hears] of listeners) {
    if (element.isConnected) hears[what]?.(detail);
    else listeners.delete(element);
  }
}
