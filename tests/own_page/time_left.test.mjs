import assert from "node:assert/strict";
import { test } from "node:test";

import { formatDuration } from "../../media/board/static/board/clock.js";
import { timeLeft as timeLeftIn } from "../../media/own_page/static/own_page/time_left.js";

const BEGAN = Date.UTC(2026, 10, 29, 12);
const LUNCH = { maximumMinutes: 45, warningMinutes: 5 };
const timeLeft = (changedAt, reason, now) => timeLeftIn(changedAt, reason, now, formatDuration);
const after = (minutes, seconds = 0) => BEGAN + (minutes * 60 + seconds) * 1000;

test("a reason without a maximum has no time left, nor has no reason", () => {
  assert.equal(timeLeft(BEGAN, { maximumMinutes: null, warningMinutes: null }, after(99)), null);
  assert.equal(timeLeft(BEGAN, null, after(99)), null);
  assert.equal(timeLeft(null, LUNCH, after(99)), null);
});

test("the time that is left is counted down", () => {
  assert.deepEqual(timeLeft(BEGAN, LUNCH, after(10)), { level: "fine", text: "35:00 left of 45 minutes" });
});

test("the warning begins so many minutes before the end", () => {
  assert.equal(timeLeft(BEGAN, LUNCH, after(39, 59)).level, "fine");
  assert.deepEqual(timeLeft(BEGAN, LUNCH, after(40)), { level: "soon", text: "Only 5:00 left of 45 minutes" });
});

test("without a warning there is none", () => {
  assert.equal(timeLeft(BEGAN, { maximumMinutes: 45, warningMinutes: null }, after(44, 59)).level, "fine");
});

test("what is over is said in words, with how much", () => {
  assert.equal(timeLeft(BEGAN, LUNCH, after(45)).level, "soon");
  assert.deepEqual(timeLeft(BEGAN, LUNCH, after(47, 10)), { level: "over", text: "Over by 2:10: 45 minutes at most" });
  assert.equal(timeLeft(BEGAN, { maximumMinutes: 1, warningMinutes: null }, after(2)).text, "Over by 1:00: 1 minute at most");
});
