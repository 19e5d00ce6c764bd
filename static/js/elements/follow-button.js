/** Follow and unfollow without leaving the page. */
import { listen } from "../lib/live.js";
import { submit } from "../lib/request.js";
import { isDone } from "../lib/words.js";

customElements.define("follow-button", class extends HTMLElement {
  connectedCallback() {
    this.form = this.querySelector("form");
    this.form.onsubmit = async (event) => {
      const answer = await submit(event);
      if (answer && isDone(answer)) this.#show(answer.data);
    };
    const isGone = ({ target, element }) =>
      target === "person" && element === `author-${this.dataset.person}`;
    listen(this, { change: (change) => isGone(change) && this.closest(".person")?.remove() });
  }

  #show({ following, followers }) {
    const { name } = this.dataset;
    const numbers = document.querySelectorAll(`[data-followers-of="${name}"]`);
    this.dataset.following = following;
    this.form.action = `/@${name}/${following ? "unfollow" : "follow"}`;
    for (const number of numbers) number.textContent = followers;
  }
});
