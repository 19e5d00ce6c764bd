/** Asks once more, in place, before something goes. */
import { send } from "../lib/request.js";
import { button, common, toast } from "../lib/words.js";

class ConfirmButton extends HTMLElement {
  connectedCallback() {
    this.control = /** @type {HTMLElement | null} */ (this.querySelector("a[href], button[type=submit]"));
    this.control?.addEventListener("click", (event) => {
      event.preventDefault();
      this.#ask();
    });
    this.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !this.question) return;
      event.preventDefault();
      this.#keep();
    });
  }

  #ask() {
    const { wordsQuestion = "", wordsYes = "", wordsNo = "" } = this.dataset;
    const words = document.createElement("span");
    const yes = button(wordsYes, "button-danger button-small", () => this.#go());
    const no = button(wordsNo, "button-small", () => this.#keep());
    yes.dataset.confirmYes = no.dataset.confirmNo = "";
    Object.assign(words, { className: "confirm-question", textContent: wordsQuestion });
    this.question = document.createElement("span");
    Object.assign(this.question, { className: "confirm", role: "group", ariaLabel: wordsQuestion });
    this.question.append(words, yes, no);
    this.control.hidden = true;
    this.append(this.question);
    no.focus();
  }

  #keep() {
    this.question?.remove();
    this.question = null;
    this.control.hidden = false;
    this.control.focus();
  }

  async #go() {
    if (this.control instanceof HTMLButtonElement) return this.control.form?.requestSubmit(this.control);
    const { outcome, data } = await send(this.control.href, {});
    if (outcome === "done") return this.#gone(data.url);
    this.#keep();
    toast(data.error ?? common(outcome === "signed-out" ? "signedOut" : outcome === "lost" ? "offline" : "failed"));
  }

  /** @param {string} url where to go if this page does not show what went */
  #gone(url) {
    const timeline = this.closest("live-timeline");
    const id = this.closest("article")?.id;
    if (!timeline || !id) return location.assign(url);
    timeline.withdraw(id);
    toast(common("deleted"));
  }
}

customElements.define("confirm-button", ConfirmButton);
