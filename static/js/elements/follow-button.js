/** Follow and unfollow without leaving the page. */
import { send } from "../lib/request.js";
import { common, toast } from "../lib/words.js";

class FollowButton extends HTMLElement {
  connectedCallback() {
    this.form = this.querySelector("form");
    this.form?.addEventListener("submit", (event) => {
      event.preventDefault();
      if (this.form.ariaBusy !== "true") this.#press();
    });
  }

  async #press() {
    this.form.ariaBusy = "true";
    const { outcome, data } = await send(this.form.action, new FormData(this.form));
    this.form.ariaBusy = null;
    if (outcome === "done") this.#show(data);
    else toast(data.error ?? common(outcome === "signed-out" ? "signedOut" : "offline"));
  }

  /** @param {{following: boolean, followers: number}} answer */
  #show({ following, followers }) {
    const { name = "" } = this.dataset;
    for (const same of document.querySelectorAll(`follow-button[data-name="${name}"]`)) {
      same.dataset.following = String(following);
      same.querySelector("form").action = `/@${name}/${following ? "unfollow" : "follow"}`;
    }
    const numbers = document.querySelectorAll(`[data-followers-of="${name}"]`);
    numbers.forEach((number) => (number.textContent = String(followers)));
  }
}

customElements.define("follow-button", FollowButton);
