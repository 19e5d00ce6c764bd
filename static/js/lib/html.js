/**
 * The only door through which text becomes markup: the Trusted Types policy "microblog".
 * Nothing but what our own server rendered may pass; everything else goes in as textContent.
 */
const passing = { createHTML: (/** @type {string} */ html) => html };
const policy = globalThis.trustedTypes?.createPolicy("microblog", passing) ?? passing;

/** The one element `html` holds, not yet in the page. @param {string} html */
export function element(html) {
  const template = document.createElement("template");
  template.innerHTML = policy.createHTML(html);
  return /** @type {HTMLElement} */ (template.content.firstElementChild);
}

/** A whole page of ours, to take parts from. @param {string} html */
export function page(html) {
  return new DOMParser().parseFromString(policy.createHTML(html), "text/html");
}
