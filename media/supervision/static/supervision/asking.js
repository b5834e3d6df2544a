import { csrfToken } from "../board/csrf.js";
import { jsonOf } from "../board/json-body.js";

/** What the server refuses, in its own words for people. */
export class RefusedError extends Error {}

/** No answer came: what was asked for may be done or not. */
export class NoAnswerError extends Error {}

const ANSWER_TIMEOUT_MS = 15_000;
/** Waits between the attempts, in milliseconds: a server that restarts is back after some seconds. */
const WAITS_MS = [500, 1_000, 2_000, 4_000, 8_000];

/** A UUID (version 4). Browsers have randomUUID over TLS and on their own machine alone. */
export function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const digits = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

export function getJson(url) {
  return answerOf(url, { headers: { Accept: "application/json" }, cache: "no-store" });
}

export function postJson(url, sent = {}) {
  const headers = { "Content-Type": "application/json", Accept: "application/json", "X-CSRFToken": csrfToken() };
  return answerOf(url, { method: "POST", headers, body: JSON.stringify(sent) });
}

/** Post it until there is an answer, for what the server does once however often it is sent. */
export async function persist(url, sent, { onWait = () => {} } = {}) {
  for (const wait of WAITS_MS) {
    try {
      return await postJson(url, sent);
    } catch (error) {
      if (!(error instanceof NoAnswerError)) throw error;
      onWait();
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
  }
  return postJson(url, sent);
}

async function answerOf(url, options) {
  const silence = new AbortController();
  let timer = 0;
  const expectMore = () => {
    clearTimeout(timer);
    timer = setTimeout(() => silence.abort(), ANSWER_TIMEOUT_MS);
  };
  expectMore();
  try {
    return await read(await send(url, { ...options, signal: silence.signal }), expectMore);
  } finally {
    clearTimeout(timer);
  }
}

async function send(url, options) {
  try {
    return await fetch(url, options);
  } catch {
    throw new NoAnswerError("The server does not answer.");
  }
}

async function read(answer, onPart) {
  if (answer.status >= 500) throw new NoAnswerError("The server could not do it.");
  const shown = await jsonOf(answer, onPart).catch(() => null);
  if (answer.ok && shown) return shown;
  if (answer.ok) throw new NoAnswerError("The connection was lost within the answer.");
  throw new RefusedError(shown?.error ?? "The server refused it: load the page again.");
}
