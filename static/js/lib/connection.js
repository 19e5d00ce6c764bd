/** The page's one WebSocket, which heals itself. What the messages mean is not known here. */
const SILENCE = 60_000; // the server speaks every 25 s
const DOUBT = 30_000; // when the reader returns
const LOOK = 5000;
const SLEPT = 15_000; // between two looks: only sleep explains it

export const SIGNED_OUT = { status: 401 };

let owner = null;
let socket = null;
let timer = 0;
let turn = 0;
let attempts = 0;
let heard = 0;
let looked = Date.now();
let hasEnded = false;

/** parts: {address(attempts), a promise; receive(message); lost(); refused({status})} */
export function open(parts) {
  owner = parts;
  addEventListener("online", renew);
  addEventListener("offline", renew);
  addEventListener("pageshow", (event) => event.persisted && renew());
  addEventListener("pagehide", drop); // an open socket bars the back-forward cache
  document.addEventListener("visibilitychange", () => document.hidden || returned());
  setInterval(look, LOOK);
  connect();
}

export function send(message) {
  const isOpen = socket?.readyState === WebSocket.OPEN;
  if (isOpen) socket.send(JSON.stringify(message));
  return isOpen;
}

/** Nothing is missing: the next loss is a new story. */
export const steady = () => (attempts = 0);

/** Until the reader returns. */
export function stop() {
  drop();
  hasEnded = true;
}

/** As if the server had closed with `code`. */
export function retry(code) {
  drop();
  owner.lost();
  timer = setTimeout(connect, pause(code, attempts++));
}

async function connect() {
  const mine = ++turn;
  heard = Date.now();
  const address = await owner.address(attempts).catch(owner.refused);
  if (mine !== turn || hasEnded) return;
  if (!address) return retry(0);
  socket = new WebSocket(address);
  socket.onclose = ({ code }) => (code === 4001 ? owner.refused(SIGNED_OUT) : retry(code));
  socket.onmessage = ({ data }) => {
    heard = Date.now();
    owner.receive(JSON.parse(data));
  };
}

function drop() {
  turn += 1;
  clearTimeout(timer);
  if (socket) socket.onmessage = socket.onclose = null;
  socket?.close();
  socket = null;
}

/** Connect at once; several signs of one return count once. */
function renew() {
  const isOpening = socket?.readyState === WebSocket.CONNECTING;
  if (hasEnded || (isOpening && Date.now() - heard < 1000)) return;
  drop();
  owner.lost();
  connect();
}

/** Timers of hidden tabs are slowed down: that gap is no sleep. */
function returned() {
  looked = Date.now();
  hasEnded = false; // or signed in again
  if (!socket || Date.now() - heard > DOUBT) renew();
}

function look() {
  const now = Date.now();
  const hasSlept = !document.hidden && now - looked > SLEPT;
  looked = now;
  if (hasSlept || (socket && now - heard > SILENCE)) renew();
}

/** Thousands of pages must not return at once. */
function pause(code, attempts) {
  if (code === 1008 || code === 1009) return between(60_000, 120_000);
  if (code === 1012 && !attempts) return between(100, 2000);
  return between(500, Math.min(30_000, 1000 * 2 ** attempts));
}

const between = (low, high) => low + Math.random() * (high - low);
