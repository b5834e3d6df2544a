import assert from "node:assert/strict";
import { test } from "node:test";
import { describeLimit, limitOf } from "../../media/board/static/board/overrun.js";

const MINUTE = 60_000;
const SINCE = Date.UTC(2026, 9, 25, 0, 30);
const BREAK = { maximumMinutes: 15, warningMinutes: 3 };
const away = { state: "NOT_READY", changedAt: SINCE };
const at = (minutes) => SINCE + minutes * MINUTE;

test("a reason's maximum, and its warning before it", () => {
  const limit = limitOf(away, BREAK, null);
  assert.deepEqual(limit, { dueAt: at(15), warnAt: at(12) });
  assert.deepEqual(describeLimit(limit, at(11)), { level: "within", text: "4:00 left" });
  assert.deepEqual(describeLimit(limit, at(12)), { level: "soon", text: "3:00 left" });
  assert.deepEqual(describeLimit(limit, at(15)), { level: "over", text: "0:00 over" });
  assert.deepEqual(describeLimit(limit, at(18.5)), { level: "over", text: "3:30 over" });
});

test("longer than N minutes is for every state, and the stricter of the two counts", () => {
  assert.equal(limitOf({ state: "READY", changedAt: SINCE }, {}, 5).dueAt, at(5));
  assert.equal(limitOf(away, BREAK, 5).dueAt, at(5));
  assert.equal(limitOf(away, BREAK, 30).dueAt, at(15));
  // The warning of a maximum that does not count any more would come after the end.
  assert.equal(limitOf(away, BREAK, 10).warnAt, null);
});

test("a maximum that is shorter than the warning before it has no warning", () => {
  assert.deepEqual(limitOf(away, { maximumMinutes: 3, warningMinutes: 3 }, null), { dueAt: at(3), warnAt: null });
  assert.deepEqual(limitOf(away, { maximumMinutes: null, warningMinutes: 3 }, 9), { dueAt: at(9), warnAt: null });
});

test("there is no limit without a maximum, without a time, and for agents who are signed out", () => {
  const none = { dueAt: null, warnAt: null };
  assert.deepEqual(limitOf(away, { maximumMinutes: null, warningMinutes: null }, null), none);
  assert.deepEqual(limitOf({ state: "NOT_READY", changedAt: null }, BREAK, 5), none);
  assert.deepEqual(limitOf({ state: "LOGOUT", changedAt: SINCE }, {}, 5), none);
  assert.deepEqual(describeLimit(none, at(99)), { level: "none", text: "" });
});
