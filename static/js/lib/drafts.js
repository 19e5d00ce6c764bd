/** Texts not yet sent, kept on this device by account and by what they are an answer to. */
import { account } from "./reader.js";
import { recall, remember, remembered } from "./store.js";

const KEPT = 30 * 86_400_000;
const ALL = "draft:";

/** @typedef {{body: string, key: string, at: number}} Draft  key: the one a try was made with, or "" */

const place = (/** @type {string} */ name) => `${ALL}${account}:${name}`;

/** @param {string} name @returns {Draft | null} */
export const draft = (name) => recall(place(name));

/** @param {string} name @param {string} body @param {string} key */
export function keepDraft(name, body, key) {
  remember(place(name), { body, key, at: Date.now() });
}

/** @param {string} name */
export const dropDraft = (name) => remember(place(name), null);

for (const name of remembered(ALL)) {
  if (!(Date.now() - recall(name)?.at < KEPT)) remember(name, null);
}
