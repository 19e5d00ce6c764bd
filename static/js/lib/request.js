/** Sending forms without leaving the page. */
import { stillSignedIn, token } from "./reader.js";

const PATIENCE = 30_000;
const LOST = /** @type {const} */ ({ outcome: "lost", status: 0, data: {} });

/**
 * @typedef {object} Answer
 * @property {"done" | "refused" | "signed-out" | "lost"} outcome  lost: it may have arrived or not
 * @property {number} status  0: no answer
 * @property {any} data  what the server said; {error, fields, id} when refused
 */

/**
 * POST `fields` to `url`. A stale token (signed in again elsewhere) is renewed and the request repeated.
 * @param {string} url @param {FormData | Record<string, string>} fields @returns {Promise<Answer>}
 */
export async function send(url, fields) {
  const used = token();
  const answer = await attempt(url, fields);
  if (answer.outcome !== "signed-out") return answer;
  const here = await stillSignedIn().catch(() => null);
  if (here === null) return LOST;
  if (!here) return answer;
  return token() === used ? { ...answer, outcome: "refused" } : attempt(url, fields);
}

/** @returns {Promise<Answer>} */
async function attempt(url, fields) {
  const body = new URLSearchParams(fields instanceof FormData ? [...fields] : fields);
  body.set("csrf_token", token());
  try {
    const response = await fetch(url, {
      method: "POST",
      body,
      headers: { Accept: "application/json" },
      signal: AbortSignal.timeout(PATIENCE),
    });
    return { outcome: outcome(response), status: response.status, data: await told(response) };
  } catch {
    return LOST;
  }
}

/** @param {Response} response @returns {Answer["outcome"]} */
function outcome(response) {
  if (response.redirected && new URL(response.url).pathname === "/login") return "signed-out";
  if (response.ok) return "done";
  if (response.status === 401 || response.status === 403) return "signed-out";
  return isJSON(response) ? "refused" : "lost";
}

/** @param {Response} response */
const told = async (response) => (isJSON(response) ? response.json() : { url: response.url });

/** A proxy's own error page is not JSON. @param {Response} response */
const isJSON = (response) => response.headers.get("content-type")?.includes("json") ?? false;
