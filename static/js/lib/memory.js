/** What this device remembers; nothing, where storage is full or forbidden. */
import { account } from "./reader.js";

const PREFIX = "microblog:";
const MOST_DRAFTS = 30;
const shelf = `drafts:${account}`;

export function recall(key) {
  try {
    return JSON.parse(localStorage.getItem(PREFIX + key));
  } catch {}
}

export function remember(key, value) {
  try {
    localStorage.setItem(PREFIX + key, JSON.stringify(value));
  } catch {}
}

/** A text not yet sent, {body, key}; null drops it. */
export const draft = (name) => recall(shelf)?.[name];

export function keepDraft(name, draft) {
  const { [name]: _, ...others } = recall(shelf) ?? {};
  const all = Object.entries(draft ? { ...others, [name]: draft } : others);
  remember(shelf, Object.fromEntries(all.slice(-MOST_DRAFTS)));
}
