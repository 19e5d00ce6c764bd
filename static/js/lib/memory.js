/** What this device remembers. Storage may be full or forbidden: then nothing is. */
import { account } from "./reader.js";

const PREFIX = "microblog:";
const MOST_DRAFTS = 30;

export function recall(key) {
  try {
    return JSON.parse(localStorage.getItem(PREFIX + key));
  } catch {
    return null;
  }
}

export function remember(key, value) {
  try {
    localStorage.setItem(PREFIX + key, JSON.stringify(value));
  } catch {
    // The page works without a memory.
  }
}

const shelf = `drafts:${account}`;

/** A text not yet sent: {body, key: the one a try was made with, or ""}; null drops it. */
export const draft = (name) => recall(shelf)?.[name];

export function keepDraft(name, draft) {
  const { [name]: _, ...others } = recall(shelf) ?? {};
  const all = Object.entries(draft ? { ...others, [name]: draft } : others);
  remember(shelf, Object.fromEntries(all.slice(-MOST_DRAFTS)));
}
