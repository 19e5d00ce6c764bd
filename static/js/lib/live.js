/**
 * The one live connection of the page. Each message is told once and in order, whatever happens:
 *   change {action, target, element, html} · count {name, value} · state {state, arrived}
 *   fresh: the page (Document) as it is now, after a gap that cannot be replayed
 */
import { Connection } from "./connection.js";
import { pageAt } from "./html.js";
import { account, stillSignedIn } from "./reader.js";

const ASKS = 3; // after so many failures: a refused handshake looks like a dead line

class Live extends Connection {
  state = "connecting";
  until = Date.now(); // up to when nothing is missing
  #stream = {};
  #complete = ""; // the position up to which all has arrived
  #newest = ""; // the position of the event whose messages are arriving
  #last = 0; // that event
  #applied = new Set(); // its messages
  #arrived = 0;
  #isStale = false;

  start(position, stream) {
    this.#stream = stream;
    this.#complete = this.#newest = position;
    this.open();
  }

  /** hears: {change, count, state, fresh}, each called with the detail. @returns how to stop */
  listen(hears) {
    const ending = new AbortController();
    for (const [name, hear] of Object.entries(hears)) {
      this.addEventListener(name, ({ detail }) => hear(detail), ending);
    }
    return () => ending.abort();
  }

  async address(attempts) {
    const asks = account && attempts % ASKS === ASKS - 1;
    if (this.#isStale) await this.#lookAfresh();
    else if (asks && !(await stillSignedIn())) this.end();
    const address = new URL("/live", location.href.replace("http", "ws"));
    address.search = new URLSearchParams(this.#stream);
    if (this.#complete) address.searchParams.set("since", this.#complete);
    return address;
  }

  receive(message) {
    const { type, position } = message;
    if (type === "hello") this.#greeted(message);
    else if (type === "event") this.#isNew(message) && this.#apply(message);
    else if (type === "count") this.#tell("count", message);
    else if (type === "reset") this.#reset();
    else this.#reached(position);
    if (type === "caught_up") this.#caughtUp();
  }

  lost() {
    if (this.state === "live" || this.state === "caught-up") this.#become("reconnecting");
  }

  refused() { this.#become("signed-out"); }

  /** Somebody else signed in meanwhile? Their posts do not belong on this page. */
  #greeted({ position, account: asked }) {
    this.#arrived = 0;
    if (!this.#complete) this.#reached(position);
    if (asked !== undefined && String(asked ?? "") !== account) this.end();
  }

  /** One event may come as several messages: only the next id proves the last event complete. */
  #isNew({ id, position, action, target, element }) {
    if (id < this.#last) return false;
    if (id > this.#last) {
      this.#complete = this.#newest;
      this.#last = id;
      this.#applied.clear();
    }
    this.#newest = position;
    const message = [action, target, element].join();
    return !this.#applied.has(message) && this.#applied.add(message);
  }

  #apply(message) {
    this.until = Date.now();
    if (message.action === "insert" && message.target === "timeline") this.#arrived += 1;
    this.#tell("change", message);
  }

  #reached(position) {
    this.#complete = this.#newest = position;
    this.until = Date.now();
  }

  #caughtUp() {
    this.attempts = 0;
    this.#become(this.#arrived || this.state === "reconnecting" ? "caught-up" : "live");
  }

  /** The log does not reach back to this page, or it is another log. */
  #reset() {
    this.#isStale = true;
    this.retry(1012);
  }

  async #lookAfresh() {
    const page = await pageAt(location.href);
    if (page.body.dataset.account !== account) return this.end();
    this.#reached(page.querySelector("[data-position]")?.dataset.position);
    this.#last = 0;
    this.#isStale = false;
    this.#tell("fresh", page);
  }

  #become(state) {
    this.state = state;
    this.#tell("state", { state, arrived: this.#arrived });
  }

  #tell(name, detail) { this.dispatchEvent(new CustomEvent(name, { detail })); }
}

export const live = new Live();
