/** Who reads, and how. */
import { pageAt } from "./html.js";

const { dataset } = document.body;

export const account = dataset.account ?? ""; // its id; "" for a visitor
export const language = document.documentElement.lang || undefined;
export const timeZone = known(dataset.timeZone || undefined);
export const insertsByItself = dataset.feedMode === "insert";
export const token = () => dataset.csrf ?? "";

/** Asks, and takes the present token: signing in again, in another tab, changes it. */
export async function stillSignedIn() {
  const { account: asked, csrf } = (await pageAt("/shortcuts")).body.dataset;
  if (asked !== account) return false;
  dataset.csrf = csrf;
  for (const field of document.getElementsByName("csrf_token")) field.value = csrf;
  return true;
}

/** The server may know zones this browser does not. */
function known(timeZone) {
  try {
    return new Intl.DateTimeFormat("en", { timeZone }) && timeZone;
  } catch {}
}
