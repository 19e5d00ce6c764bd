/** The "more" menu of a post: shows what only its author may do, and closes when it should. */
import { account } from "../lib/reader.js";

class PostMenu extends HTMLElement {
  connectedCallback() {
    const isOwn = account && this.closest("article")?.dataset.author === account;
    this.querySelectorAll("[data-own]").forEach((item) => (item.hidden = !isOwn));
    this.addEventListener("keydown", (event) => event.key === "Escape" && this.close(event));
  }

  get details() {
    return this.querySelector("details");
  }

  /** @param {KeyboardEvent} event */
  close(event) {
    if (!this.details?.open || event.defaultPrevented) return;
    event.preventDefault();
    this.details.open = false;
    this.querySelector("summary")?.focus();
  }
}

/** Pressing anywhere else closes a menu, another menu too. */
document.addEventListener("click", ({ target }) => {
  for (const menu of document.querySelectorAll("post-menu details[open]")) {
    if (!menu.contains(/** @type {Node} */ (target))) menu.open = false;
  }
});

customElements.define("post-menu", PostMenu);
