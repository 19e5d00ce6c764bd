/** The "more" menu of a post: shows what only its author may do, and closes when it should. */
import { account } from "../lib/reader.js";

class PostMenu extends HTMLElement {
  connectedCallback() {
    const isOwn = account && this.closest("article")?.dataset.author === account;
    for (const item of this.querySelectorAll("[data-own]")) item.hidden = !isOwn;
    this.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || event.defaultPrevented) return;
      this.querySelector("details").open = false;
      this.querySelector("summary").focus();
    });
  }
}

document.addEventListener("click", ({ target }) => {
  for (const menu of document.querySelectorAll("post-menu details[open]")) {
    if (!menu.contains(target)) menu.open = false;
  }
});

customElements.define("post-menu", PostMenu);
