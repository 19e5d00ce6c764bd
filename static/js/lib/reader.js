/** Who reads, and how. */
const { dataset } = document.body;

export const account = dataset.account; // its id; "" for a visitor
export const language = document.documentElement.lang;
export const timeZone = known(dataset.timeZone || undefined);
export const insertsByItself = dataset.feedMode === "insert";
export const token = () => dataset.csrf;

/** Signing in again, in another tab, changes the token. */
export function renewToken(csrf) {
  dataset.csrf = csrf;
  for (const field of document.getElementsByName("csrf_token")) field.value = csrf;
}

/** The server may know zones this browser does not. */
function known(timeZone) {
  try {
    return new Intl.DateTimeFormat("en", { timeZone }) && timeZone;
  } catch {}
}
