import assert from "node:assert/strict";
import { test } from "node:test";
import { EVERYTHING, isEverything, Matcher } from "../../media/board/static/board/filter.js";
import { wordsOf } from "../../media/board/static/board/words.js";

const ANA = { words: wordsOf("Ana Lima 1234 Chat Email 5001 NOT_READY Lunch 1"), team: "Chat", mrdId: "5001", state: "NOT_READY", reasonId: "1001", isOver: true };
const CHI = { words: wordsOf("Chi Wong 1300 Back office Tasks 5002 LOGOUT"), team: "Back office", mrdId: "5002", state: "LOGOUT", reasonId: "", isOver: false };

const refusals = (changes, subject) => new Matcher({ ...EVERYTHING, ...changes }, ["NOT_READY"]).refusals(subject);

test("nothing chosen shows everything", () => {
  assert.deepEqual(refusals({}, ANA), []);
  assert.deepEqual(refusals({}, CHI), []);
  assert.ok(isEverything(EVERYTHING));
});

test("each choice says by its name that it keeps something out", () => {
  assert.deepEqual(refusals({ teams: ["Chat"] }, CHI), ["teams"]);
  assert.deepEqual(refusals({ mrds: ["5001"], states: ["READY"] }, CHI), ["mrds", "states"]);
  assert.deepEqual(refusals({ reasons: ["1001"] }, CHI), ["reasons"]);
  assert.deepEqual(refusals({ text: "ana" }, CHI), ["text"]);
  assert.deepEqual(refusals({ hidesSignedOut: true }, CHI), ["signedOut"]);
  assert.deepEqual(refusals({ onlyOver: true }, CHI), ["onlyOver"]);
  assert.deepEqual(refusals({ teams: ["Chat"], reasons: ["1001"], hidesSignedOut: true, onlyOver: true, text: "1" }, ANA), []);
});

test("what is chosen in one list is alternatives", () => {
  for (const subject of [ANA, CHI]) assert.deepEqual(refusals({ teams: ["Chat", "Back office"] }, subject), []);
});

test("the number of a code finds it", () => {
  assert.deepEqual(refusals({ text: "lunch 1" }, ANA), []);
  assert.deepEqual(refusals({ text: "lunch 2" }, ANA), ["text"]);
});

test("notifications obey the filter, but a sign-out is told where signed-out agents are hidden", () => {
  const tells = (changes, subject) => new Matcher({ ...EVERYTHING, ...changes }, []).tells(subject);
  assert.ok(!tells({ teams: ["Chat"] }, CHI));
  assert.ok(!tells({ text: "ana" }, CHI));
  assert.ok(tells({ hidesSignedOut: true, onlyOver: true }, CHI));
});
