import assert from "node:assert/strict";
import { test } from "node:test";
import { minutesOf, readAddress, writeAddress } from "../../media/board/static/board/address.js";
import { EVERYTHING } from "../../media/board/static/board/filter.js";

const PLAIN = { filter: { ...EVERYTHING }, rows: "mrds", sort: "agent", descending: null, isWall: false };

test("a page without a query shows everything, and the plain view needs none", () => {
  assert.deepEqual(readAddress(""), PLAIN);
  assert.equal(writeAddress(PLAIN), "");
});

test("every choice comes back from the address that it was written to", () => {
  const filter = { text: "mull & co", teams: ["Chat", "Back office"], mrds: ["5001"], states: ["READY"], reasons: ["1001", "1002"], hidesSignedOut: true, longerThan: 30, onlyOver: true };
  const view = { filter, rows: "agents", sort: "over", descending: false, isWall: true };
  assert.deepEqual(readAddress(writeAddress(view)), view);
  for (const descending of [true, null]) assert.deepEqual(readAddress(writeAddress({ ...view, descending })), { ...view, descending });
});

test("what an address cannot mean is left out", () => {
  const view = readAddress("?rows=cows&longer=-3&order=up&wall=yes&signed-out=perhaps&only=me&team=Chat&team=Chat");
  assert.deepEqual(view, { ...PLAIN, filter: { ...EVERYTHING, teams: ["Chat"] } });
});

test("minutes are whole numbers from 1 on", () => {
  for (const [text, minutes] of [["5", 5], [" 30 ", 30], ["10000", 10000], ["0", null], ["10001", null], ["1.5", null], ["1e3", null], ["", null], [null, null], ["-1", null]]) {
    assert.equal(minutesOf(text), minutes, `${text}`);
  }
});
