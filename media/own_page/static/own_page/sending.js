import { csrfToken } from "../board/csrf.js";

const ANSWER_TIMEOUT_MS = 15_000;
const parser = new DOMParser();

/** For browsers without randomUUID, which is there over TLS and on this machine alone. */
export function newRequestId() {
  const random = crypto.getRandomValues(new Uint32Array(4));
  return `page-${[...random].map((number) => number.toString(16).padStart(8, "0")).join("")}`;
}

/**
 * Send one of the API's own PUTs.
 *
 * @returns {Promise<{status: number, error: ?{message: string, type: string}}>} status 0: no answer
 */
export async function sendPut(path, body, requestId) {
  try {
    const response = await fetch(path, {
      method: "PUT",
      body,
      credentials: "same-origin",
      headers: { "Content-Type": "application/xml", "X-CSRFToken": csrfToken(), requestId },
      signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS),
    });
    return { status: response.status, error: response.ok ? null : readError(await response.text()) };
  } catch {
    return { status: 0, error: null };
  }
}

function readError(xml) {
  const found = parser.parseFromString(xml, "application/xml");
  const textOf = (name) => found.querySelector(name)?.textContent ?? "";
  return { message: textOf("ErrorMessage"), type: textOf("ErrorType") };
}

/** What became of the request; null if the server does not say at the moment. */
export async function askForOutcome(url, requestId) {
  try {
    const response = await fetch(`${url}?requestId=${encodeURIComponent(requestId)}`, {
      cache: "no-store",
      credentials: "same-origin",
      signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS),
    });
    return response.ok ? await response.json() : null;
  } catch {
    return null;
  }
}
