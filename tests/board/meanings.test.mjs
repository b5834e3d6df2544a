import assert from "node:assert/strict";
import { test } from "node:test";
import { Meanings } from "../../media/board/static/board/meanings.js";

const LUNCH = { id: 1 };

function timesOf(meaning, team) {
  const meanings = new Meanings("/meanings", { onChange() {} });
  meanings.take({ 1: meaning });
  return meanings.timesOf(LUNCH, team).maximumMinutes;
}

test("a team's own rule goes before the one for all teams as a whole, without a time, too", () => {
  const ofRules = { teams: { Chat: null, Tasks: 15 }, others: 40 };
  assert.equal(timesOf({ maximumMinutes: 30, ofRules }, "Chat"), null);
  assert.equal(timesOf({ maximumMinutes: 30, ofRules }, "Tasks"), 15);
  assert.equal(timesOf({ maximumMinutes: 30, ofRules }, "Email"), 40);
  assert.equal(timesOf({ maximumMinutes: 30, ofRules }, "constructor"), 40);
});

test("without a rule for all teams the reason's own time holds", () => {
  assert.equal(timesOf({ maximumMinutes: 30, ofRules: { teams: { Chat: 15 } } }, "Email"), 30);
  assert.equal(timesOf({ maximumMinutes: 30 }, "Chat"), 30);
});

test("an answer that comes after one that was asked for later is not taken", async () => {
  const asked = [];
  globalThis.fetch = () => new Promise((resolve) => asked.push((label) => resolve(new Response(JSON.stringify({ reasonCodes: { 1: { label } } })))));
  globalThis.setTimeout = (call) => (call(), 0);
  const meanings = new Meanings("/meanings", { onChange() {} });
  meanings.refresh();
  meanings.refresh();
  assert.equal(asked.length, 2);
  const settled = () => new Promise((resolve) => setImmediate(resolve));
  asked[1]("new");
  await settled();
  await settled();
  asked[0]("old");
  await settled();
  await settled();
  assert.equal(meanings.of(LUNCH).label, "new");
});
