/**
 * Writing: grows, counts, keeps its draft, sends without leaving the page. A text leaves the field
 * only when the server has it; every try of one text carries the same idempotency key.
 */
import { draft, dropDraft, keepDraft } from "../lib/drafts.js";
import { length } from "../lib/length.js";
import { send } from "../lib/request.js";
import { announce, button, common, say, toast } from "../lib/words.js";

const LAST_PART = 1 / 5;

class PostComposer extends HTMLElement {
  #tried = false;

  connectedCallback() {
    if (this.form) return;
    this.form = /** @type {HTMLFormElement} */ (this.querySelector("form"));
    this.text = /** @type {HTMLTextAreaElement} */ (this.querySelector("textarea"));
    this.key = /** @type {HTMLInputElement | null} */ (this.querySelector("[name=idempotency_key]"));
    this.error = this.querySelector(".field-error");
    this.status = this.querySelector(".composer-status");
    this.count = /** @type {HTMLOutputElement} */ (this.querySelector(".composer-count"));
    this.count.ariaLive = "off"; // said once when it begins to matter, not at each letter
    this.text.addEventListener("input", () => this.#written());
    this.text.addEventListener("keydown", (event) => this.#pressed(event));
    this.form.addEventListener("submit", (event) => this.#submit(event));
    this.#restore();
    this.#measure();
    if ("autofocus" in this.dataset) this.text.setSelectionRange(this.text.value.length, this.text.value.length);
  }

  /** What was not sent last time. */
  #restore() {
    const { text } = this;
    const kept = draft(this.dataset.key ?? "");
    if (!kept || text.value !== text.defaultValue || kept.body === text.value) return;
    text.value = kept.body;
    this.#tried = Boolean(kept.key);
    if (this.key && kept.key) this.key.value = kept.key;
    this.#say(this.dataset.wordsDraft, [this.dataset.wordsDiscard, () => this.#clear()]);
  }

  #written() {
    this.#say("");
    this.#refuse("");
    this.#keep();
    this.#measure();
  }

  #keep() {
    const { key = "" } = this.dataset;
    const { value, defaultValue } = this.text;
    if (value.trim() && value !== defaultValue) keepDraft(key, value, this.#tried ? this.key?.value ?? "" : "");
    else dropDraft(key);
  }

  #measure() {
    const limit = Number(this.dataset.limit);
    const left = limit - length(this.text.value);
    const state = left < 0 ? "over" : left <= limit * LAST_PART ? "near" : "";
    const { wordsLeft, wordsOver, wordsOverOne } = this.dataset;
    this.count.hidden = !state;
    this.count.textContent = say(left === -1 ? wordsOverOne : left < 0 ? wordsOver : wordsLeft, { n: Math.abs(left) });
    if (state && state !== this.count.dataset.state) announce(this.count.textContent);
    this.count.dataset.state = state;
    this.#grow();
  }

  #grow() {
    if (CSS.supports("field-sizing", "content")) return;
    this.text.style.blockSize = "auto";
    this.text.style.blockSize = `${this.text.scrollHeight}px`;
  }

  /** @param {KeyboardEvent} event */
  #pressed(event) {
    if (event.key !== "Enter" || event.isComposing || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    this.form.requestSubmit();
  }

  /** @param {SubmitEvent} event */
  async #submit(event) {
    event.preventDefault();
    if (this.form.ariaBusy === "true") return;
    this.#tried = true;
    this.#keep();
    this.#refuse("");
    this.#say(this.dataset.wordsSending);
    this.#busy(true);
    const answer = await send(this.form.action, new FormData(this.form));
    this.#busy(false);
    this.#say("");
    this.#heard(answer);
  }

  /** @param {boolean} isBusy */
  #busy(isBusy) {
    this.form.ariaBusy = String(isBusy);
    this.text.readOnly = isBusy;
    this.querySelector("[type=submit]")?.setAttribute("aria-disabled", String(isBusy));
  }

  /** @param {import("../lib/request.js").Answer} answer */
  #heard({ outcome, status, data }) {
    const { wordsFailed, wordsRetry, wordsSignedOut, wordsSignIn } = this.dataset;
    const retry = /** @type {const} */ ([wordsRetry, () => this.form.requestSubmit()]);
    if (outcome === "done") this.#sent(data);
    else if (outcome === "lost") this.#say(wordsFailed, retry);
    else if (outcome === "signed-out") this.#say(wordsSignedOut, [wordsSignIn, signIn], retry);
    else this.#refuse(data.fields?.body || data.error || common("failed"));
    if (status === 409) this.#renewKey(); // an earlier text with this key was posted: this is another one
  }

  /** @param {{url: string, html?: string}} post */
  #sent({ url, html }) {
    const timeline = document.querySelector("live-timeline");
    const dialog = this.closest("dialog");
    this.#clear();
    const isShown = html && this.key && timeline?.take(html, Boolean(this.dataset.replyTo));
    if (dialog) dialog.close();
    else if (!isShown) return location.assign(url);
    toast(this.dataset.wordsSent ?? "");
  }

  #clear() {
    dropDraft(this.dataset.key ?? "");
    this.text.value = this.text.defaultValue;
    this.#renewKey();
    this.#say("");
    this.#refuse("");
    this.#measure();
  }

  #renewKey() {
    this.#tried = false;
    if (this.key) this.key.value = freshKey();
  }

  /** @param {string} [words] @param {(readonly [string | undefined, () => void])[]} offers */
  #say(words = "", ...offers) {
    const buttons = offers.map(([offer = "", press]) => button(offer, "button-link", press));
    this.status?.replaceChildren(words, ...buttons.flatMap((made) => [" ", made]));
  }

  /** @param {string} sentence */
  #refuse(sentence) {
    if (!this.error || (!sentence && this.error.hidden)) return;
    this.error.hidden = !sentence;
    this.error.textContent = sentence;
    this.text.ariaInvalid = sentence ? "true" : null;
    if (sentence) this.text.focus();
  }
}

function signIn() {
  location.assign(`/login?next=${encodeURIComponent(location.pathname + location.search)}`);
}

/** crypto.randomUUID is missing on plain http. */
function freshKey() {
  const bytes = [...crypto.getRandomValues(new Uint8Array(16))];
  return bytes.map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

customElements.define("post-composer", PostComposer);
