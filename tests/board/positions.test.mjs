import assert from "node:assert/strict";
import { test } from "node:test";
import { Positions } from "../../media/board/static/board/positions.js";

function startedAt(position) {
  const positions = new Positions();
  positions.startAt(position);
  return positions;
}

test("a position is admitted once", () => {
  const positions = startedAt(10);
  assert.equal(positions.admit(11), true);
  assert.equal(positions.admit(11), false);
});

test("positions up to the start are refused", () => {
  const positions = startedAt(10);
  assert.equal(positions.admit(9), false);
  assert.equal(positions.admit(10), false);
});

test("two positions in the other order are both admitted", () => {
  const positions = startedAt(10);
  assert.equal(positions.admit(12), true);
  assert.equal(positions.admit(11), true);
  assert.equal(positions.last, 12);
});

test("the position to subscribe after never falls", () => {
  const positions = startedAt(10);
  positions.reach(15);
  positions.reach(12);
  positions.admit(13);
  assert.equal(positions.last, 15);
});

test("a position that was only reached is still admitted", () => {
  const positions = startedAt(10);
  positions.reach(15);
  assert.equal(positions.admit(12), true);
  assert.equal(positions.last, 15);
});

test("a new start forgets what was received, also where it is lower", () => {
  const positions = startedAt(10);
  positions.admit(11);
  positions.startAt(3);
  assert.equal(positions.last, 3);
  assert.equal(positions.admit(4), true);
  assert.equal(positions.admit(11), true);
});

test("memory is bounded, and a forgotten position is refused, too", () => {
  const positions = startedAt(0);
  for (let position = 2; position <= 6001; position++) assert.equal(positions.admit(position), true);
  assert.equal(positions.admit(1), false);
  assert.equal(positions.admit(2), false);
  assert.equal(positions.admit(6001), false);
  assert.equal(positions.admit(6002), true);
});
