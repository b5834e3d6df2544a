import assert from "node:assert/strict";
import { test } from "node:test";
import { Clock, formatDateAndTime, formatDuration, formatMoment } from "../../media/board/static/board/clock.js";

const NOON = Date.UTC(2026, 2, 2, 12);

/** A response whose Date header is this time, in milliseconds, cut to the second. */
function responseOf(time) {
  return new Response("", { headers: { Date: new Date(time).toUTCString() } });
}

test("without a response, the time is this machine's", (t) => {
  t.mock.timers.enable({ apis: ["Date"], now: NOON });
  assert.equal(new Clock().now(), NOON);
});

test("a clock that agrees within the second is not corrected", (t) => {
  t.mock.timers.enable({ apis: ["Date"], now: NOON + 700 });
  const clock = new Clock();
  clock.observe(responseOf(NOON), NOON + 600);
  assert.equal(clock.now(), NOON + 700);
});

test("a machine that is a minute behind shows the server's time, to the second", (t) => {
  t.mock.timers.enable({ apis: ["Date"], now: NOON });
  const clock = new Clock();
  clock.observe(responseOf(NOON + 60_000), NOON);
  assert.equal(clock.now(), NOON + 60_000);
});

test("a machine that is a minute ahead shows the server's time, to the second", (t) => {
  t.mock.timers.enable({ apis: ["Date"], now: NOON + 60_000 });
  const clock = new Clock();
  clock.observe(responseOf(NOON), NOON + 60_000);
  assert.equal(clock.now(), NOON + 1000);
});

test("each response narrows the correction", (t) => {
  t.mock.timers.enable({ apis: ["Date"], now: NOON });
  const clock = new Clock();
  // The server is 10.4 seconds ahead: 10 to 11 by the first response, 10.3 to 11.3 by the second.
  clock.observe(responseOf(NOON + 10_400), NOON);
  assert.equal(clock.now(), NOON + 10_000);
  t.mock.timers.setTime(NOON + 700);
  clock.observe(responseOf(NOON + 11_100), NOON + 700);
  assert.equal(clock.now(), NOON + 11_000);
  assert.equal(clock.now() - Date.now(), 10_300);
});

test("when a clock was set, what was observed before is void", (t) => {
  t.mock.timers.enable({ apis: ["Date"], now: NOON });
  const clock = new Clock();
  clock.observe(responseOf(NOON), NOON);
  clock.observe(responseOf(NOON + 3_600_000), NOON);
  assert.equal(clock.now(), NOON + 3_600_000);
});

test("a response without a date changes nothing", (t) => {
  t.mock.timers.enable({ apis: ["Date"], now: NOON });
  const clock = new Clock();
  clock.observe(responseOf(NOON + 60_000), NOON);
  clock.observe(new Response(""), NOON);
  assert.equal(clock.now(), NOON + 60_000);
});

test("everySecond works just after each full second, but not in a hidden page", (t) => {
  const page = new EventTarget();
  page.hidden = false;
  globalThis.document = page;
  t.after(() => delete globalThis.document);
  t.mock.timers.enable({ apis: ["Date", "setTimeout"], now: NOON + 400 });
  const calls = [];
  new Clock().everySecond(() => calls.push(Date.now() - NOON));
  t.mock.timers.tick(605);
  t.mock.timers.tick(1000);
  assert.deepEqual(calls, [400, 1005, 2005]);
  page.hidden = true;
  t.mock.timers.tick(5000);
  assert.equal(calls.length, 3);
  page.hidden = false;
  page.dispatchEvent(new Event("visibilitychange"));
  assert.equal(calls.length, 4);
});

test("a duration is short to read", () => {
  const second = 1000;
  const hour = 3600 * second;
  assert.equal(formatDuration(-5 * second), "0:00");
  assert.equal(formatDuration(42_999), "0:42");
  assert.equal(formatDuration(725 * second), "12:05");
  assert.equal(formatDuration(3 * hour + 429 * second), "3:07:09");
  assert.equal(formatDuration(24 * hour - 1), "23:59:59");
  assert.equal(formatDuration(52 * hour), "2 d 4 h");
});

test("a moment has its date unless it is today's", (t) => {
  // In local time, as the page shows it.
  const now = new Date(2026, 2, 2, 12).getTime();
  t.mock.timers.enable({ apis: ["Date"], now });
  assert.equal(formatMoment(now - 3_600_000), "11:00:00");
  const yesterday = now - 24 * 3_600_000;
  assert.equal(formatMoment(yesterday), formatDateAndTime(yesterday));
  assert.match(formatMoment(yesterday), /1 Mar 2026.*12:00:00/);
});
