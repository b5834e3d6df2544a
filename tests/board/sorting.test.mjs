import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Sorting } from "../../media/board/static/board/sorting.js";
import { names, rankOf, states, wordOf } from "../../media/board/static/board/states.js";

const STATES = ["READY", "TALKING", "NOT_READY", "LOGOUT"];
const WORDS = ["Ready", "Talking", "Not ready", "Signed out"];
const COLUMNS = ["agent", "team", "mrd", "state", "reason", "time"];

// The page's list of states, which states.js reads when it is first needed.
before(() => {
  globalThis.document = { getElementById: () => ({ textContent: JSON.stringify(STATES.map((state, rank) => [state, WORDS[rank]])) }) };
});
after(() => delete globalThis.document);

/** The table's head: what Sorting uses of it, and `click` on a column's button. */
class Head {
  #listener;
  #buttons = COLUMNS.map((name) => makeButton(name));

  querySelectorAll() {
    return this.#buttons;
  }

  addEventListener(_, listener) {
    this.#listener = listener;
  }

  click(name) {
    this.#listener({ target: this.#buttonOf(name) });
  }

  directionOf(name) {
    return this.#buttonOf(name).closest("th").attributes.get("aria-sort");
  }

  #buttonOf(name) {
    return this.#buttons.find((button) => button.dataset.sort === name);
  }
}

function makeButton(name) {
  const attributes = new Map();
  const cell = {
    attributes,
    setAttribute: (key, value) => attributes.set(key, value),
    removeAttribute: (key) => attributes.delete(key),
  };
  const button = { dataset: { sort: name }, closest: (selector) => (selector === "th" ? cell : button) };
  return button;
}

function makeRow(id, { name = id, team = "Chat", mrd = "Chat", state = "READY", reason = null, changedAt = 0 } = {}) {
  return { source: `${id}/${mrd}`, agent: { id, name, team }, mrd: { name: mrd }, state, reason, reasonLabel: reason?.label ?? "", changedAt };
}

/** The agents' ids in the order after clicks on these columns. */
function sorted(rows, ...clicks) {
  const head = new Head();
  const sorting = new Sorting(head, () => {});
  clicks.forEach((name) => head.click(name));
  return [...rows].sort(sorting.compare).map((row) => row.agent.id);
}

test("at first the board is sorted by agent", () => {
  const head = new Head();
  const sorting = new Sorting(head, () => {});
  assert.equal(sorting.isByAgent, true);
  assert.equal(head.directionOf("agent"), "ascending");
  assert.deepEqual(sorted([makeRow("zoe"), makeRow("adam"), makeRow("Émile")]), ["adam", "Émile", "zoe"]);
});

test("numbers in names are compared as numbers", () => {
  assert.deepEqual(sorted([makeRow("agent 10"), makeRow("agent 9")]), ["agent 9", "agent 10"]);
});

test("a second click on a column reverses it", () => {
  const head = new Head();
  let changes = 0;
  new Sorting(head, () => (changes += 1));
  head.click("team");
  assert.equal(head.directionOf("team"), "ascending");
  assert.equal(head.directionOf("agent"), undefined);
  head.click("team");
  assert.equal(head.directionOf("team"), "descending");
  assert.equal(changes, 2);
});

test("states are sorted in the page's order, a state that it does not list last", () => {
  const rows = ["LOGOUT", "SINGING", "READY", "NOT_READY"].map((state) => makeRow(state, { state }));
  assert.deepEqual(sorted(rows, "state"), ["READY", "NOT_READY", "LOGOUT", "SINGING"]);
});

test("the longest time in a state comes first, then the shortest", () => {
  const rows = [makeRow("new", { changedAt: 3000 }), makeRow("old", { changedAt: 1000 })];
  assert.deepEqual(sorted(rows, "time"), ["old", "new"]);
  assert.deepEqual(sorted(rows, "time", "time"), ["new", "old"]);
});

test("rows without a value come last in both directions", () => {
  const rows = [makeRow("none"), makeRow("lunch", { reason: { label: "Lunch" } }), makeRow("break", { reason: { label: "Break" } })];
  assert.deepEqual(sorted(rows, "reason"), ["break", "lunch", "none"]);
  assert.deepEqual(sorted(rows, "reason", "reason"), ["lunch", "break", "none"]);
  const never = [makeRow("never", { changedAt: null }), makeRow("once", { changedAt: 1000 })];
  assert.deepEqual(sorted(never, "time"), ["once", "never"]);
  assert.deepEqual(sorted(never, "time", "time"), ["once", "never"]);
});

test("equal rows are in the order of agents, in both directions", () => {
  const rows = [makeRow("b"), makeRow("a"), makeRow("c")];
  assert.deepEqual(sorted(rows, "team"), ["a", "b", "c"]);
  assert.deepEqual(sorted(rows, "team", "team"), ["a", "b", "c"]);
});

test("one agent's rows are in the order of their MRDs", () => {
  const sorting = new Sorting(new Head(), () => {});
  const rows = [makeRow("a", { mrd: "Email" }), makeRow("a", { mrd: "Chat" })].sort(sorting.compare);
  assert.deepEqual(rows.map((row) => row.mrd.name), ["Chat", "Email"]);
});

test("only columns whose values change need a new order after each notification", () => {
  const head = new Head();
  const sorting = new Sorting(head, () => {});
  const changing = COLUMNS.filter((name) => {
    head.click(name);
    return sorting.isByChangingColumn;
  });
  assert.deepEqual(changing, ["state", "reason", "time"]);
});

test("the rank of a state that the page does not list is behind all others", () => {
  assert.deepEqual(states(), STATES);
  assert.equal(rankOf("LOGOUT"), 3);
  assert.equal(rankOf("SINGING"), STATES.length);
});

test("a state is called by its word, one that the page does not list by its name", () => {
  assert.deepEqual([...STATES, "SINGING"].map(wordOf), [...WORDS, "SINGING"]);
  assert.deepEqual(names().slice(-4), ["NOT_READY", "Not_ready", "LOGOUT", "Signed_out"]);
});
