/** Writing. A text leaves the field only when the server has it; each try has the same key. */
import { button } from "../lib/html.js";
import { draft, keepDraft } from "../lib/memory.js";
import { submit } from "../lib/request.js";
import { common, excuse, say, toast } from "../lib/words.js";

const LAST_PART = 1 / 5;
const LINK = /https?:\/\/[^\s<>"]*[^\s<>"'.,;:!?)\]}]/gi;
const LONGEST = 16_384;

const signIn = () =>
  location.assign(`/login?next=${encodeURIComponent(location.pathname + location.search)}`);

/** In grapheme clusters, a link as 23. */
function length(text) {
  const rest = text.trim().replace(LINK, "x".repeat(23));
  return rest.length > LONGEST ? rest.length : [...new Intl.Segmenter().segment(rest)].length;
}

customElements.define("post-composer", class extends HTMLElement {
  connectedCallback() {
    const part = (selector) => this.querySelector(selector);
    this.form = part("form");
    const text = (this.text = part("textarea"));
    this.key = part("[name=idempotency_key]"); // an edit has none
    this.send = part("[type=submit]");
    this.error = part(".field-error");
    this.count = part(".composer-count");
    this.status = part(".composer-status");
    this.aloud = part(".composer-aloud");
    text.oninput = () => this.#written();
    text.onkeydown = ({ key, ctrlKey, metaKey }) => {
      if (key === "Enter" && (ctrlKey || metaKey)) this.form.requestSubmit();
    };
    this.form.onsubmit = (event) => this.#submit(event);
    addEventListener("pagehide", () => text.value === text.defaultValue || this.#written());
    this.#restore();
    this.#measure();
    if ("autofocus" in this.dataset) text.setSelectionRange(LONGEST, LONGEST);
  }

  #restore() {
    const { value, defaultValue } = this.text;
    const { body = value, key } = draft(this.dataset.key) ?? {};
    if (value !== body && value !== defaultValue) return;
    if (key) this.key.value = key;
    if (value === body) return; // filled in again
    this.text.value = body;
    this.#say(this.dataset.wordsDraft, [this.dataset.wordsDiscard, () => this.#clear()]);
  }

  #written(isSent) {
    this.#say("");
    this.#refuse("");
    const { value: body, defaultValue } = this.text;
    const isDraft = body.trim() && (isSent || body !== defaultValue);
    keepDraft(this.dataset.key, isDraft ? { body, key: this.key?.value } : null);
    this.#measure();
  }

  #measure() {
    const { limit, wordsLeft, wordsOver, wordsOverOne } = this.dataset;
    const left = limit - length(this.text.value);
    const state = left < 0 ? "over" : left <= limit * LAST_PART ? "near" : "";
    const words = left === -1 ? wordsOverOne : left < 0 ? wordsOver : wordsLeft;
    this.count.hidden = !state;
    this.count.textContent = say(words, { n: Math.abs(left) });
    if (state && state !== this.count.dataset.state) this.aloud.textContent = this.count.textContent;
    this.count.dataset.state = state;
  }

  async #submit(event) {
    this.#written(true);
    this.#say(this.dataset.wordsSending);
    this.text.readOnly = this.send.ariaDisabled = true;
    const answer = await submit(event);
    if (!answer) return;
    this.text.readOnly = this.send.ariaDisabled = false;
    this.#hear(answer);
  }

  #hear(answer) {
    const { wordsFailed, wordsKept, wordsRetry } = this.dataset;
    const { outcome, data } = answer;
    this.#say("");
    if (outcome === "done") return this.#sent(data);
    const why = excuse(answer);
    const offers = outcome === "signedOut" ? [[common("signIn"), signIn]] : [];
    offers.push([wordsRetry, () => this.form.requestSubmit()]);
    if (outcome === "failed") this.#refuse(data.fields?.body ?? why);
    else this.#say(outcome === "offline" ? wordsFailed : `${why} ${wordsKept}`, ...offers);
    if (data.fields?.idempotency_key) this.#renewKey(); // an earlier text was posted with it
  }

  #sent({ url, html }) {
    const dialog = this.closest("dialog");
    const list = document.querySelector("live-timeline");
    const isShown = this.key && list?.take(html, this.dataset.replyTo);
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
    if (this.key) this.key.value = crypto.getRandomValues(new BigUint64Array(2)).join("-");
  }

  #say(words, ...offers) {
    const buttons = offers.map(([offer, press]) => button(offer, "button-link", press));
    if (this.status.contains(document.activeElement)) this.send.focus();
    this.status.replaceChildren(words, ...buttons);
  }

  #refuse(sentence) {
    this.error.hidden = !sentence;
    this.error.textContent = sentence;
    this.text.ariaInvalid = sentence ? true : null;
    this.aloud.textContent = document.activeElement === this.text ? sentence : "";
    if (sentence) this.text.focus();
  }
});
