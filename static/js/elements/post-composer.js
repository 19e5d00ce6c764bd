/**
 * Writing: counts, keeps its draft, sends without leaving the page. A text leaves the field only
 * when the server has it; every try of one text carries the same idempotency key.
 */
import { button } from "../lib/html.js";
import { draft, keepDraft } from "../lib/memory.js";
import { send } from "../lib/request.js";
import { announce, excuse, say, toast } from "../lib/words.js";

const LAST_PART = 1 / 5;
const LINK = /https?:\/\/[^\s<>"]*[^\s<>"'.,;:!?)\]}]/gi;
const LINK_LENGTH = 23;
const LONGEST = 16_384;

/** In grapheme clusters, each link as 23. The server decides; this is for the eye. */
function length(text) {
  const rest = text.trim().replace(LINK, "x".repeat(LINK_LENGTH));
  return rest.length > LONGEST ? rest.length : [...new Intl.Segmenter().segment(rest)].length;
}

class PostComposer extends HTMLElement {
  #isTried = false;

  connectedCallback() {
    this.form = this.querySelector("form");
    this.text = this.querySelector("textarea");
    this.key = this.querySelector("[name=idempotency_key]"); // an edit has none
    this.error = this.querySelector(".field-error");
    this.count = this.querySelector(".composer-count");
    this.count.ariaLive = "off"; // said once when it begins to matter, not at each letter
    this.text.addEventListener("input", () => this.#written());
    this.text.addEventListener("keydown", (event) => this.#pressed(event));
    this.form.addEventListener("submit", (event) => this.#submit(event));
    this.#restore();
    this.#measure();
    const end = this.text.value.length;
    if ("autofocus" in this.dataset) this.text.setSelectionRange(end, end);
  }

  /** What was not sent last time. */
  #restore() {
    const { value, defaultValue } = this.text;
    const { body = value, key } = draft(this.dataset.key) ?? {};
    if (body === value || value !== defaultValue) return;
    this.text.value = body;
    this.#isTried = Boolean(key);
    if (key) this.key.value = key;
    this.#say(this.dataset.wordsDraft, [this.dataset.wordsDiscard, () => this.#clear()]);
  }

  #written() {
    this.#say("");
    this.#refuse("");
    this.#keep();
    this.#measure();
  }

  #keep() {
    const { value: body, defaultValue } = this.text;
    const key = this.#isTried && this.key?.value;
    keepDraft(this.dataset.key, body.trim() && body !== defaultValue ? { body, key } : null);
  }

  #measure() {
    const { limit, wordsLeft, wordsOver, wordsOverOne } = this.dataset;
    const left = limit - length(this.text.value);
    const state = left < 0 ? "over" : left <= limit * LAST_PART ? "near" : "";
    const words = left === -1 ? wordsOverOne : left < 0 ? wordsOver : wordsLeft;
    this.count.hidden = !state;
    this.count.textContent = say(words, { n: Math.abs(left) });
    if (state && state !== this.count.dataset.state) announce(this.count.textContent);
    this.count.dataset.state = state;
  }

  #pressed(event) {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    this.form.requestSubmit();
  }

  async #submit(event) {
    event.preventDefault();
    if (this.form.ariaBusy === "true") return;
    this.#isTried = true;
    this.#keep();
    this.#refuse("");
    this.#say(this.dataset.wordsSending);
    this.#setBusy(true);
    const answer = await send(this.form.action, new FormData(this.form));
    this.#setBusy(false);
    this.#hear(answer);
  }

  #setBusy(isBusy) {
    this.form.ariaBusy = this.querySelector("[type=submit]").ariaDisabled = isBusy;
    this.text.readOnly = isBusy;
  }

  #hear(answer) {
    const { wordsFailed, wordsRetry, wordsSignedOut, wordsSignIn } = this.dataset;
    const retry = [wordsRetry, () => this.form.requestSubmit()];
    this.#say("");
    if (answer.outcome === "done") this.#sent(answer.data);
    else if (answer.outcome === "lost") this.#say(wordsFailed, retry);
    else if (answer.outcome === "signed-out") this.#say(wordsSignedOut, [wordsSignIn, signIn], retry);
    else this.#refuse(answer.data.fields?.body ?? excuse(answer));
    if (answer.status === 409) this.#renewKey(); // used for an earlier text: this is another post
  }

  #sent({ url, html }) {
    const dialog = this.closest("dialog");
    const list = document.querySelector("live-timeline[data-target=timeline]");
    const isShown = this.key && list?.take(html, Boolean(this.dataset.replyTo));
    this.#clear();
    if (!dialog && !isShown) return location.assign(url);
    dialog?.close();
    toast(this.dataset.wordsSent);
  }

  #clear() {
    this.text.value = this.text.defaultValue;
    this.#renewKey();
    this.#written();
  }

  /** crypto.randomUUID is missing on plain http. */
  #renewKey() {
    this.#isTried = false;
    if (this.key) this.key.value = crypto.getRandomValues(new BigUint64Array(2)).join("-");
  }

  /** offers: [words, what pressing does] */
  #say(words, ...offers) {
    const buttons = offers.map(([offer, press]) => button(offer, "button-link", press));
    this.querySelector(".composer-status").replaceChildren(words, ...buttons);
  }

  #refuse(sentence) {
    this.error.hidden = !sentence;
    this.error.textContent = sentence;
    this.text.ariaInvalid = sentence ? true : null;
    if (sentence) this.text.focus();
  }
}

function signIn() {
  location.assign(`/login?next=${encodeURIComponent(location.pathname + location.search)}`);
}

customElements.define("post-composer", PostComposer);
