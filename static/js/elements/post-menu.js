/** The menu of a post: shows what only its author may do, and closes when it should. */
import { account } from "../lib/reader.js";

customElements.define("post-menu", class extends HTMLElement {
  connectedCallback() {
    const isOwn = account && this.closest("article").dataset.author === account;
    for (const item of this.querySelectorAll("[data-own]")) item.hidden = !isOwn;
    this.querySelector("[data-others]").hidden = isOwn;
    this.onkeydown = (event) => {
      if (event.key !== "Escape" || event.defaultPrevented) return;
      this.querySelector("details").open = false;
      this.querySelector("summary").focus();
    };
  }
});

document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("post-menu details[open]")) {
    if (!event.composedPath().includes(menu)) menu.open = false;
  }
});
