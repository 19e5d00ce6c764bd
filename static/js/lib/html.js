/** The only door through which text becomes markup: what our server rendered, nothing else. */
const passing = { createHTML: (html) => html };
const policy = globalThis.trustedTypes?.createPolicy("microblog", passing) ?? passing;

export function element(html) {
  const template = document.createElement("template");
  template.innerHTML = policy.createHTML(html);
  return template.content.firstElementChild;
}

/** Throws {outcome: "away", status} if that is no success. */
export async function textAt(url) {
  const answer = await fetch(url, { signal: AbortSignal.timeout(20_000) });
  if (!answer.ok) throw { outcome: "away", status: answer.status };
  return answer.text();
}

/** A page of ours as it is now, to take parts from. */
export async function pageAt(url) {
  const html = policy.createHTML(await textAt(url));
  const page = new DOMParser().parseFromString(html, "text/html");
  if (page.body.dataset.account === undefined) throw new TypeError("no page of ours");
  return page;
}

export function make(tag, properties, ...content) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...content);
  return made;
}

export const button = (words, classes, onclick) =>
  make("button", { type: "button", className: `button ${classes}`, onclick }, words);
