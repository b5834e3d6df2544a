import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { NoAnswerError, RefusedError, persist, postJson } from "../../media/supervision/static/supervision/asking.js";

let answers, sent;

beforeEach(() => {
  [answers, sent] = [[], []];
  globalThis.document = { cookie: "other=1; csrftoken=of-now" };
  // Pauses are over at once, and the time for an answer never.
  globalThis.setTimeout = (call, delay) => (delay < 15_000 ? queueMicrotask(call) : 1);
  globalThis.clearTimeout = () => {};
  globalThis.fetch = async (url, options) => {
    sent.push(options);
    const answer = answers.shift();
    if (answer instanceof Error) throw answer;
    return answer;
  };
});

const json = (shown, status = 200) => new Response(JSON.stringify(shown), { status });
/** The connection was lost before the whole body had come. */
const half = (status) => new Response('{"id": "', { status });

test("an answer that breaks off is none: what was done once is asked for again by its id", async () => {
  answers = [half(202), json({ id: "1" })];
  assert.deepEqual(await persist("/actions/", { id: "1" }), { id: "1" });
  assert.deepEqual(
    sent.map(({ body }) => JSON.parse(body)),
    [{ id: "1" }, { id: "1" }],
  );
});

test("no answer, one of the server's faults and none in time are told from a refusal", async () => {
  for (const answer of [new TypeError("no network"), json({}, 503), half(200), new DOMException("", "AbortError")]) {
    answers = [answer];
    await assert.rejects(postJson("/", {}), NoAnswerError);
  }
  answers = [json({ error: "Not your team" }, 403)];
  await assert.rejects(postJson("/", {}), (error) => error instanceof RefusedError && error.message === "Not your team");
  answers = [half(400)];
  await assert.rejects(postJson("/", {}), RefusedError);
});

test("the token is that of now, and a dead connection is not awaited for ever", async () => {
  answers = [json({})];
  await postJson("/", {});
  assert.equal(sent[0].headers["X-CSRFToken"], "of-now");
  assert.ok(sent[0].signal instanceof AbortSignal);
});
