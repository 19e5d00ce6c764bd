/** Sending forms without leaving the page. */
import { stillSignedIn, token } from "./reader.js";

const PATIENCE = 30_000;
const LOST = { outcome: "lost", status: 0, data: {} };

/**
 * POST `fields` (FormData or an object). A stale token is renewed and the request repeated.
 * @returns {Promise<{outcome: "done" | "refused" | "signed-out" | "lost", status: number, data: any}>}
 *   lost: it may have arrived or not. data: what the server said, {error, fields, id} if refused
 */
export async function send(url, fields) {
  const used = token();
  const answer = await attempt(url, fields);
  if (answer.outcome !== "signed-out") return answer;
  const isSignedIn = await stillSignedIn().catch(() => null);
  if (isSignedIn === null) return LOST;
  if (isSignedIn && token() !== used) return attempt(url, fields);
  return isSignedIn ? { ...answer, outcome: "refused" } : answer;
}

async function attempt(url, fields) {
  const body = new URLSearchParams(fields instanceof FormData ? [...fields] : fields);
  body.set("csrf_token", token());
  const headers = { Accept: "application/json" };
  try {
    const signal = AbortSignal.timeout(PATIENCE);
    const answer = await fetch(url, { method: "POST", body, headers, signal });
    const isJSON = answer.headers.get("content-type")?.includes("json");
    const data = isJSON ? await answer.json() : { url: answer.url };
    return { outcome: outcome(answer, isJSON), status: answer.status, data };
  } catch {
    return LOST;
  }
}

function outcome({ ok, status, redirected, url }, isJSON) {
  if (status === 401 || status === 403) return "signed-out";
  if (redirected && new URL(url).pathname === "/login") return "signed-out";
  if (ok) return "done";
  return isJSON ? "refused" : "lost"; // a proxy's own error page says nothing about our server
}
