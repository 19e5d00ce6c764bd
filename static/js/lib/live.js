/**
 * The one live connection of the page. Every message is applied once and in order, whatever happens
 * to the socket; who wants to know listens:
 *   "change"  detail {action, target, element, html}
 *   "count"   detail {name, value}
 *   "fresh"   detail Document: the page as it is now, after a gap too old to be replayed
 *   "state"   detail {state, arrived}; "until" says up to when nothing is missing
 */
import { Connection } from "./connection.js";
import { page } from "./html.js";
import { account, stillSignedIn } from "./reader.js";

const ASKS_AFTER = 3; // failed attempts: a refused handshake looks like a dead line

class Live extends EventTarget {
  state = "connecting";
  until = Date.now();
  #connection = /** @type {Connection | null} */ (null);
  #stream = {};
  #complete = ""; // the position up to which all has arrived
  #newest = ""; // the position of the event whose messages are arriving
  #last = 0;
  #applied = new Set(); // messages of event #last
  #arrived = 0;
  #stale = false;

  /** @param {string} position @param {Record<string, string>} stream */
  start(position, stream) {
    this.#stream = stream;
    this.#complete = this.#newest = position;
    this.#connection = new Connection({
      address: (attempts) => this.#address(attempts),
      receive: (message) => this.#receive(message),
      lost: () => this.#lost(),
      refused: () => this.#become("signed-out"),
    });
    this.#connection.renew();
  }

  /** @param {object} message @returns whether it went out */
  send(message) {
    return this.#connection?.send(message) ?? false;
  }

  /** @param {number} attempts */
  async #address(attempts) {
    if (this.#stale) await this.#reload();
    else if (account && attempts % ASKS_AFTER === ASKS_AFTER - 1 && !(await stillSignedIn())) {
      this.#become("signed-out");
    }
    if (this.state === "signed-out") return null;
    const address = new URL("/live", location.href);
    address.protocol = address.protocol.replace("http", "ws");
    const since = this.#complete ? { since: this.#complete } : {};
    address.search = String(new URLSearchParams({ ...since, ...this.#stream }));
    return address;
  }

  /** @param {any} message */
  #receive(message) {
    const { type, position } = message;
    if (type === "hello") this.#greeted(message);
    else if (type === "caught_up") this.#caughtUp(position);
    else if (type === "tick") this.#reached(position);
    else if (type === "count") this.#tell("count", message);
    else if (type === "event" && this.#isNew(message)) this.#apply(message);
    else if (type === "reset") this.#startOver();
  }

  /** Somebody else signed in meanwhile: their posts do not belong on this page. */
  #greeted({ position, account: asked }) {
    this.#arrived = 0;
    this.#complete ||= position;
    if (asked === undefined || String(asked ?? "") === account) return;
    this.#connection?.end();
    this.#become("signed-out");
  }

  #caughtUp(position) {
    const arrived = this.#arrived;
    this.#reached(position);
    this.#connection?.steady();
    this.#become(this.state === "reconnecting" || arrived ? "caught-up" : "live", arrived);
  }

  #reached(position) {
    this.#complete = this.#newest = position;
    this.until = Date.now();
  }

  /** One event may come as several messages, so only the next id proves the last one complete. */
  #isNew({ id, position, action, target, element }) {
    if (id < this.#last) return false;
    if (id > this.#last) {
      this.#complete = this.#newest;
      this.#last = id;
      this.#applied.clear();
    }
    this.#newest = position;
    const message = [action, target, element].join();
    return !this.#applied.has(message) && Boolean(this.#applied.add(message));
  }

  #apply(message) {
    this.until = Date.now();
    if (message.action === "insert" && message.target === "timeline") this.#arrived += 1;
    this.#tell("change", message);
  }

  #lost() {
    if (this.state === "live" || this.state === "caught-up") this.#become("reconnecting");
  }

  #startOver() {
    this.#stale = true;
    this.#become("reconnecting");
    this.#connection?.retry(1012);
  }

  /** The log no longer reaches back to this page, or it is another log: look at the page afresh. */
  async #reload() {
    const response = await fetch(location.href, { headers: { Accept: "text/html" } });
    if (!response.ok) throw new TypeError("no page");
    const fresh = page(await response.text());
    if ((fresh.body.dataset.account ?? "") !== account) return this.#become("signed-out");
    const position = fresh.querySelector("[data-position]")?.getAttribute("data-position") ?? "";
    this.#complete = this.#newest = position;
    this.#last = 0;
    this.#stale = false;
    this.#tell("fresh", fresh);
  }

  /** @param {string} state */
  #become(state, arrived = 0) {
    this.state = state;
    this.#tell("state", { state, arrived });
  }

  /** @param {string} name @param {any} detail */
  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}

export const live = new Live();
