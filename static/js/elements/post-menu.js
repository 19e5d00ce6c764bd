/** The menu of a post: what needs scripts, and what only its author may do. */
import { account } from "../lib/reader.js";

customElements.define("post-menu", class extends HTMLElement {
  connectedCallback() {
    if (!this.querySelector("[data-copy-link]")) this.#fill(this.closest("article"));
    this.onkeydown = (event) => {
      if (event.key !== "Escape" || event.defaultPrevented) return;
      this.querySelector("details").open = false;
      this.querySelector("summary").focus();
    };
  }

  #fill({ id, dataset }) {
    const isOwn = account && dataset.author === account;
    const { content } = document.getElementById(isOwn ? "own" : "others");
    const items = content.cloneNode(true);
    for (const link of items.querySelectorAll("a")) {
      link.href = `/posts/${id.replace("post-", "")}/${link.getAttribute("href")}`;
    }
    const report = this.querySelector("[data-others]");
    report.before(items);
    report.hidden = isOwn;
  }
});

document.addEventListener("click", (event) => {
  const isDone = event.target.matches("[data-copy-link]");
  for (const menu of document.querySelectorAll("post-menu details[open]")) {
    if (isDone || !event.composedPath().includes(menu)) menu.open = false;
  }
});
