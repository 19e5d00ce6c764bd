/** Who reads this page, and how they read. */
import { page } from "./html.js";

const { body, documentElement: root } = document;

/** The id of the signed-in account; empty when nobody is. */
export const account = body.dataset.account ?? "";
export const language = root.lang || undefined;
export const timeZone = known(body.dataset.timeZone);

export const insertsByItself = () => body.dataset.feedMode === "insert";
export const token = () => body.dataset.csrf ?? "";

/**
 * Ask the server whether the page's account is still the one signed in, and take its present token
 * (signing in again, in another tab, changes it).
 */
export async function stillSignedIn() {
  const response = await fetch("/shortcuts", { headers: { Accept: "text/html" } });
  const { csrf, account: asked } = page(await response.text()).body.dataset;
  if (!response.ok || csrf === undefined) throw new TypeError("no page");
  if (asked !== account) return false;
  body.dataset.csrf = csrf;
  for (const field of document.getElementsByName("csrf_token")) field.value = csrf;
  return true;
}

/** The browser may not know the zone the server knows. @param {string | undefined} zone */
function known(zone) {
  try {
    return new Intl.DateTimeFormat("en", { timeZone: zone || undefined }) && (zone || undefined);
  } catch {
    return undefined;
  }
}
