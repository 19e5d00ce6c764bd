/** Asks once more, in place, before something goes. */
import { button, make } from "../lib/html.js";
import { send } from "../lib/request.js";
import { common, excuse, toast } from "../lib/words.js";

customElements.define("confirm-button", class extends HTMLElement {
  connectedCallback() {
    this.control = this.querySelector("a[href], button[type=submit]");
    this.control.onclick = (event) => {
      event.preventDefault();
      this.#ask();
    };
    this.onkeydown = (event) => {
      if (event.key !== "Escape" || !this.control.hidden) return;
      event.preventDefault();
      this.#keep();
    };
  }

  #ask() {
    const word = (name) => this.getAttribute(`data-words-${name}`) ?? common(name);
    const ariaLabel = word("question");
    const asked = make("span", { className: "confirm-question" }, ariaLabel);
    const yes = button(word("yes"), "button-danger button-small", () => this.#go());
    const no = button(word("no"), "button-small", () => this.#keep());
    this.control.hidden = true;
    this.append(make("span", { className: "confirm", role: "group", ariaLabel }, asked, yes, no));
    no.focus();
  }

  #keep() {
    this.lastElementChild.remove();
    this.control.hidden = false;
    this.control.focus();
  }

  async #go() {
    if (this.control.form) return this.control.form.requestSubmit(this.control);
    const list = this.closest("live-timeline");
    const article = this.closest("article");
    const answer = await send(this.control.href);
    const isDone = answer.outcome === "done";
    if (isDone && !list) return location.assign(answer.data.url);
    if (isDone) list.withdraw(article.id);
    else this.#keep();
    toast(isDone ? common("deleted") : excuse(answer));
  }
});
