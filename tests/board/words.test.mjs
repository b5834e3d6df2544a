import assert from "node:assert/strict";
import { test } from "node:test";
import { fold, termsOf, wordsOf } from "../../media/board/static/board/words.js";

const finds = (typed, text) => termsOf(typed, ["READY", "NOT_READY", "WORK_READY", "LOGOUT", "Signed_out"]).every((term) => wordsOf(text).includes(term));

test("accents and case do not matter, in either direction", () => {
  assert.equal(fold("Müller"), "muller");
  assert.ok(finds("mull", "Jörg Müller"));
  assert.ok(finds("MÜLL", "Jorg Muller"));
  assert.ok(finds("hauptstrasse 1", "Hauptstraße 1"));
  assert.ok(finds("angstrom", "Ångström"));
});

test("ready finds READY, and not NOT_READY or WORK_READY", () => {
  assert.ok(finds("ready", "READY"));
  assert.ok(!finds("ready", "NOT_READY"));
  assert.ok(!finds("ready", "WORK_READY"));
});

test("states are found as people write them", () => {
  for (const typed of ["not ready", "Not Ready", "not_ready", "NOT_READY", "not"]) assert.ok(finds(typed, "NOT_READY"), typed);
  for (const typed of ["signed out", "Signed", "logout", "LOGOUT"]) assert.ok(finds(typed, "LOGOUT Signed_out"), typed);
  assert.ok(!finds("out", "LOGOUT Signed_out"));
  assert.ok(!finds("not ready", "READY"));
});

test("words are found by how they begin, all that is typed has to be there", () => {
  assert.ok(finds("ben email", "Ben Okoro Email"));
  assert.ok(!finds("ben chat", "Ben Okoro Email"));
  assert.ok(!finds("koro", "Ben Okoro"));
  assert.ok(finds("o'br", "Pat O'Brien"));
  assert.ok(finds("  ", "anything"));
});

test("what has a meaning elsewhere is a letter like any other", () => {
  for (const typed of ["<b>", "%", "\\", "(", "*", "[a"]) assert.doesNotThrow(() => finds(typed, "a b"));
  assert.ok(finds("(5)", "Break 5"));
});
