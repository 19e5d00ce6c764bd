/** Sending forms without leaving the page. */
import { stillSignedIn, token } from "./reader.js";

const LOST = { outcome: "lost", data: {} }; // it may have arrived or not

/** @returns {outcome: "done" | "refused" | "signed-out" | "lost", status, data} */
export async function send(url, fields) {
  const used = token();
  const answer = await attempt(url, fields);
  if (answer.outcome !== "signed-out") return answer;
  const isSignedIn = await stillSignedIn().catch(() => null);
  if (isSignedIn === null) return LOST;
  if (isSignedIn && token() !== used) return attempt(url, fields); // signed in again elsewhere
  return isSignedIn ? { ...answer, outcome: "refused" } : answer;
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
    return { outcome: outcome(answer, isJSON), status: answer.status, data };
  } catch {
    return LOST;
  }
}

function outcome({ ok, status, url }, isJSON) {
  if (status === 401 || status === 403 || new URL(url).pathname === "/login") return "signed-out";
  if (!isJSON) return "lost"; // a proxy's page tells nothing
  return ok ? "done" : "refused";
}
