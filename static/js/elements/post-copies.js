/** What became of the copies of one's post on other sites, as it happens. */
import { element } from "../lib/html.js";
import { listen } from "../lib/live.js";
import { token } from "../lib/reader.js";

customElements.define("post-copies", class extends HTMLElement {
  connectedCallback() {
    listen(this, {
      change: ({ target, element: id, html }) => {
        if (target === "copies" && id === this.id) this.#show(element(html));
      },
      fresh: (page) => this.#show(page.getElementById(this.id)?.firstElementChild),
    });
  }

  #show(list) {
    if (!list) return;
    const hadFocus = this.contains(document.activeElement);
    for (const field of list.querySelectorAll("[name=csrf_token]")) field.value = token();
    this.replaceChildren(list);
    if (hadFocus) this.focus();
  }
});
