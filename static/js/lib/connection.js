/** One WebSocket that heals itself. It knows nothing of what the messages mean. */
const SILENCE = 60_000; // the server speaks every 25 s
const DOUBT = 30_000; // silent for so long when the reader returns: not worth waiting for
const OPENING = 20_000;
const LOOK = 5_000;
const SLEPT = 15_000; // between two looks: only sleep explains it

const between = (low, high) => low + Math.random() * (high - low);

/** How long to wait after a close: thousands of pages must not return at once. */
function pause(code, attempts) {
  if (code === 1008 || code === 1009) return between(60_000, 120_000);
  if (code === 1012 && !attempts) return between(100, 2_000);
  return between(500, Math.min(30_000, 1_000 * 2 ** attempts));
}

/** Whoever extends it says: async address(attempts), receive(message), lost(), refused(). */
export class Connection extends EventTarget {
  attempts = 0;
  #socket = null;
  #timer = 0;
  #turn = 0;
  #heard = 0;
  #looked = Date.now();

  open() {
    const renew = () => this.#renew();
    addEventListener("online", renew);
    addEventListener("offline", renew);
    addEventListener("pageshow", (event) => event.persisted && renew());
    addEventListener("pagehide", () => this.#drop()); // an open socket bars the back-forward cache
    document.addEventListener("visibilitychange", () => document.hidden || this.#returned());
    setInterval(() => this.#look(), LOOK);
    this.#connect();
  }

  /** Whether it went out. */
  send(message) {
    const isOpen = this.#socket?.readyState === WebSocket.OPEN;
    if (isOpen) this.#socket.send(JSON.stringify(message));
    return isOpen;
  }

  /** Leave for good. */
  end() {
    this.#drop();
    this.hasEnded = true;
    this.refused();
  }

  /** Leave, and come back as if the server had closed with `code`. */
  retry(code) {
    this.#drop();
    this.lost();
    this.#timer = setTimeout(() => this.#connect(), pause(code, this.attempts++));
  }

  async #connect() {
    const turn = ++this.#turn;
    this.#heard = Date.now();
    const address = await this.address(this.attempts).catch(() => null);
    if (turn !== this.#turn || this.hasEnded) return;
    if (!address) return this.retry(0);
    this.#socket = new WebSocket(address);
    this.#socket.onclose = ({ code }) => (code === 4001 ? this.end() : this.retry(code));
    this.#socket.onmessage = ({ data }) => {
      this.#heard = Date.now();
      this.receive(JSON.parse(data));
    };
  }

  #drop() {
    this.#turn += 1;
    clearTimeout(this.#timer);
    if (this.#socket) this.#socket.onmessage = this.#socket.onclose = null;
    this.#socket?.close();
    this.#socket = null;
  }

  /** Leave what there is and connect at once. */
  #renew() {
    if (this.hasEnded || (this.#isOpening && Date.now() - this.#heard < 1_000)) return;
    this.#drop();
    this.lost();
    this.#connect();
  }

  get #isOpening() { return this.#socket?.readyState === WebSocket.CONNECTING; }

  /** Timers of hidden tabs are slowed down: that gap is no sleep. */
  #returned() {
    this.#looked = Date.now();
    if (!this.#socket || Date.now() - this.#heard > DOUBT) this.#renew();
  }

  #look() {
    const now = Date.now();
    const hasSlept = !document.hidden && now - this.#looked > SLEPT;
    const patience = this.#isOpening ? OPENING : SILENCE;
    this.#looked = now;
    if (hasSlept || (this.#socket && now - this.#heard > patience)) this.#renew();
  }
}
