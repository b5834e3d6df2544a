import assert from "node:assert/strict";
import { test } from "node:test";

import { canWaitForPlace, limitSentence } from "../../media/own_page/static/own_page/limits.js";

const SAYS = "At most 2 of the team at once.";
const limit = (fields) => ({ says: SAYS, places: null, budgetLeftSeconds: null, ...fields });

test("a reason without a rule says nothing", () => {
  assert.equal(limitSentence(null), "");
});

test("free places are counted", () => {
  assert.equal(limitSentence(limit({ places: { most: 2, taken: 0 } })), `${SAYS} 2 places are free now.`);
  assert.equal(limitSentence(limit({ places: { most: 2, taken: 1 } })), `${SAYS} 1 place is free now.`);
  assert.equal(limitSentence(limit({ places: { most: 2, taken: 3 } })), `${SAYS} No place is free now.`);
});

test("who finds no place can wait where the rule has a queue", () => {
  const full = (fields) => limit({ places: { most: 2, taken: 2, hasQueue: true, waiting: 0, ...fields } });
  assert.equal(limitSentence(full({})), `${SAYS} No place is free now. Nobody waits for one yet.`);
  assert.equal(limitSentence(full({ waiting: 1 })), `${SAYS} No place is free now. 1 agent waits for one.`);
  assert.equal(limitSentence(full({ waiting: 3 })), `${SAYS} No place is free now. 3 agents wait for one.`);
  assert.equal(canWaitForPlace(full({})), true);
  assert.equal(canWaitForPlace(full({ taken: 1 })), false);
  assert.equal(canWaitForPlace(full({ hasQueue: false })), false);
  assert.equal(canWaitForPlace(null), false);
});

test("what is left of the day's budget is said in whole minutes", () => {
  assert.equal(limitSentence(limit({ budgetLeftSeconds: 659 })), `${SAYS} You have 10 minutes left today.`);
  assert.equal(limitSentence(limit({ budgetLeftSeconds: 0 })), `${SAYS} You have 0 minutes left today.`);
});
