/** Sending forms without leaving the page. */
import { pageAt } from "./html.js";
import { account, renewToken, token } from "./reader.js";

const LOST = { outcome: "offline", data: {} }; // it may have arrived or not

/** Instead of the browser, once at a time. @returns as `send`; nothing for an impatient press */
export async function submit(event) {
  const form = event.target;
  event.preventDefault();
  if (form.ariaBusy === "true") return;
  form.ariaBusy = true;
  const answer = await send(form.action, new FormData(form));
  form.ariaBusy = false;
  return answer;
}

/** @returns {outcome: "done" | "failed" | "signedOut" | "away" | "offline", data} */
export async function send(url, fields) {
  const answer = await attempt(url, fields);
  if (answer.outcome !== "signedOut") return answer;
  const page = await pageAt("/shortcuts").catch(() => null);
  if (!page) return LOST;
  const { account: asked, csrf } = page.body.dataset;
  if (asked !== account) return answer;
  if (csrf === token()) return { ...answer, outcome: "failed" };
  renewToken(csrf);
  return attempt(url, fields);
}

async function attempt(url, fields) {
  const body = new URLSearchParams(fields);
  body.set("csrf_token", token());
  const headers = { Accept: "application/json" };
  const signal = AbortSignal.timeout(30_000);
  try {
    const answer = await fetch(url, { method: "POST", body, headers, signal });
    const isJSON = answer.headers.get("content-type")?.includes("json");
    const data = isJSON ? await answer.json() : {};
    return { outcome: outcome(answer, isJSON), data };
  } catch {
    return LOST;
  }
}

function outcome({ ok, status, url }, isJSON) {
  if (status === 401 || status === 403 || new URL(url).pathname === "/login") return "signedOut";
  if (isJSON) return ok ? "done" : "failed";
  return ok ? "offline" : status < 500 ? "failed" : "away"; // a page of somebody in between
}
