/** Asks once more, in place, before something goes. */
import { button, make } from "../lib/html.js";
import { send } from "../lib/request.js";
import { common, isDone, toast } from "../lib/words.js";

customElements.define("confirm-button", class extends HTMLElement {
  connectedCallback() {
    this.control = this.querySelector("a[href], [type=submit]");
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
    const { wordsQuestion: ariaLabel, wordsYes, wordsNo } = this.dataset;
    const yes = button(wordsYes, "button-danger", () => this.#go());
    const no = button(wordsNo, "", () => this.#keep());
    const group = { className: "confirm", role: "group", ariaLabel };
    this.asked = make("span", group, make("strong", {}, ariaLabel), yes, no);
    this.control.hidden = true;
    this.append(this.asked);
    no.focus();
  }

  #keep() {
    this.asked.remove();
    this.control.hidden = false;
    this.control.focus();
  }

  async #go() {
    if (this.control.form) return this.control.form.requestSubmit(this.control);
    if (this.asked.ariaBusy) return;
    this.asked.ariaBusy = true;
    const list = this.closest("live-timeline");
    const answer = await send(this.control.href);
    if (answer.data.fields?.confirm) return location.assign(this.control.href); // copies elsewhere
    if (!isDone(answer)) return this.control.hidden && this.#keep();
    if (!list) return location.assign(answer.data.url);
    list.withdraw(this.closest("article").id);
    toast(common("deleted"));
  }
});
