/** Follow and unfollow without leaving the page. */
import { send } from "../lib/request.js";
import { isDone } from "../lib/words.js";

customElements.define("follow-button", class extends HTMLElement {
  connectedCallback() {
    this.form = this.querySelector("form");
    this.form.onsubmit = (event) => {
      event.preventDefault();
      if (this.form.ariaBusy !== "true") this.#press();
    };
  }

  async #press() {
    this.form.ariaBusy = true;
    const answer = await send(this.form.action, new FormData(this.form));
    this.form.ariaBusy = false;
    if (isDone(answer)) this.#show(answer.data);
  }

  #show({ following, followers }) {
    const { name } = this.dataset;
    const numbers = document.querySelectorAll(`[data-followers-of="${name}"]`);
    this.dataset.following = following;
    this.form.action = `/@${name}/${following ? "unfollow" : "follow"}`;
    for (const number of numbers) number.textContent = followers;
  }
});
