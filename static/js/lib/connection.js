/** One WebSocket that heals itself. It knows nothing of what the messages mean. */
const SILENCE = 60_000; // the server speaks every 25 s
const DOUBT = 30_000; // silent for so long when the reader returns: not worth waiting for
const OPENING = 20_000;
const WATCH = 5_000;
const SLEPT = 15_000;

const between = (/** @type {number} */ low, /** @type {number} */ high) =>
  low + Math.random() * (high - low);

/** How long to wait after a close, in ms, so that thousands of pages do not return at once. */
export function pause(/** @type {number} */ code, /** @type {number} */ attempts) {
  if (code === 1012 && attempts === 0) return between(100, 2_000);
  if (code === 1008 || code === 1009) return between(60_000, 120_000);
  return between(500, Math.min(30_000, 1_000 * 2 ** attempts));
}

export class Connection {
  #socket = /** @type {WebSocket | null} */ (null);
  #turn = 0; // which attempt is the present one: what an older one still says is not heard
  #attempts = 0;
  #timer = 0;
  #begun = 0;
  #heard = 0;
  #watched = Date.now();
  #banned = 0; // not before this time, whatever the reader does
  #trying = false;
  #ended = false;

  /**
   * @param {object} parts
   * @param {(attempts: number) => Promise<URL | null>} parts.address  null: never again
   * @param {(message: any) => void} parts.receive
   * @param {() => void} parts.lost
   * @param {() => void} parts.refused  closed with 4001
   */
  constructor(parts) {
    this.parts = parts;
    addEventListener("online", () => this.renew());
    addEventListener("offline", () => this.renew());
    addEventListener("pageshow", (event) => event.persisted && this.renew());
    addEventListener("pagehide", () => this.#drop()); // an open socket keeps a page out of the back-forward cache
    document.addEventListener("visibilitychange", () => document.hidden || this.#returned());
    setInterval(() => this.#watch(), WATCH);
  }

  /** Everything is here: the next loss is a new story. */
  steady() {
    this.#attempts = 0;
  }

  /** @param {object} message */
  send(message) {
    if (this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(JSON.stringify(message));
    return true;
  }

  end() {
    this.#ended = true;
    this.#drop();
  }

  /** Leave what there is and connect at once. */
  renew() {
    if (this.#ended || (this.#trying && Date.now() - this.#begun < 1_000)) return;
    this.#drop();
    this.parts.lost();
    this.#later(Math.max(0, this.#banned - Date.now()));
  }

  /** Leave and come back in a moment. @param {number} code as if the server had closed with it */
  retry(code) {
    this.#drop();
    this.#closed(code);
  }

  #drop() {
    this.#turn += 1;
    this.#trying = false;
    clearTimeout(this.#timer);
    this.#socket?.close();
    this.#socket = null;
  }

  /** @param {number} wait */
  #later(wait) {
    clearTimeout(this.#timer);
    if (!this.#ended) this.#timer = setTimeout(() => this.#open(), wait);
  }

  async #open() {
    const turn = ++this.#turn;
    const mine = () => turn === this.#turn;
    this.#trying = true;
    this.#begun = this.#heard = Date.now();
    const address = await this.parts.address(this.#attempts).catch(() => undefined);
    if (!mine()) return;
    if (address === null) return this.end();
    if (!address) return this.#closed(0);
    this.#socket = new WebSocket(address);
    this.#socket.onopen = () => mine() && (this.#trying = false);
    this.#socket.onmessage = ({ data }) => mine() && this.#hear(data);
    this.#socket.onclose = ({ code }) => mine() && this.#closed(code);
  }

  /** @param {string} data */
  #hear(data) {
    this.#heard = Date.now();
    this.parts.receive(JSON.parse(data));
  }

  /** @param {number} code */
  #closed(code) {
    this.#drop();
    if (code === 4001) {
      this.end();
      return this.parts.refused();
    }
    const wait = pause(code, this.#attempts++);
    if (code === 1008 || code === 1009) this.#banned = Date.now() + wait;
    this.parts.lost();
    this.#later(wait);
  }

  /** The reader is back on this tab. */
  #returned() {
    this.#watched = Date.now(); // timers of hidden tabs run once a minute: that gap is no sleep
    if (!this.#socket || Date.now() - this.#heard > DOUBT) this.renew();
  }

  #watch() {
    const now = Date.now();
    const slept = !document.hidden && now - this.#watched > SLEPT;
    this.#watched = now;
    const patience = this.#socket?.readyState === WebSocket.CONNECTING ? OPENING : SILENCE;
    const silent = this.#socket && now - this.#heard > patience;
    if (slept || (silent && patience === SILENCE)) this.renew();
    else if (silent) this.retry(0);
  }
}
