import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { Agents } from "../../media/board/static/board/agents.js";
import { describeOrigin } from "../../media/board/static/board/origin.js";

const ANA = "/finesse/api/User/1234";
const EMAIL = `${ANA}/Media/5001`;
const DANA = { id: "2001", name: "Dana Ruiz" };
const LUNCH = { id: "1001", label: "Lunch", code: "1" };
const SNAPSHOT = {
  position: 10,
  users: [{ id: "1234", name: "Ana Lima", team: "Chat", mayAct: true, desktop: null }],
  mrds: { 5001: "Email" },
  media: [{ source: EMAIL, user: "1234", mrd: "5001", state: "READY", reason: null, since: 1000, routable: true, by: null }],
};
const meanings = { of: (reason) => (reason?.id === LUNCH.id ? { productive: false, label: "Mittag" } : {}) };
let agents;
let structures;

// The page's list of states.
before(() => {
  globalThis.document = { getElementById: () => ({ textContent: JSON.stringify([["READY", "Ready"], ["NOT_READY", "Not ready"], ["LOGOUT", "Signed out"]]) }) };
});
after(() => delete globalThis.document);

beforeEach(() => {
  structures = 0;
  agents = new Agents(meanings, { onCell: () => {}, onStructure: () => (structures += 1) });
  agents.replace(SNAPSHOT);
});

const media = (more) => ({ source: EMAIL, event: "PUT", agentId: "1234", mrdId: "5001", errors: [], media: { name: "Email", state: "NOT_READY", reason: LUNCH, changedAt: 2000, routable: true }, context: null, position: 11, ...more });

test("a change shows the state, the reason in the viewer's language, and a break", () => {
  assert.ok(agents.change(media()));
  const cell = agents.cellOf(EMAIL);
  assert.equal(cell.state, "NOT_READY");
  assert.equal(cell.reasonLabel, "Mittag");
  assert.ok(cell.isOnBreak);
  assert.ok(cell.words.includes(" lunch") && cell.words.includes(" mittag") && cell.words.includes(" 1"));
});

test("a supervisor who changed it is named until the next change of the agent", () => {
  const context = { cause: "supervisor", actor: DANA, note: "back at ten", requested: "NOT_READY" };
  agents.change(media({ context }));
  assert.equal(describeOrigin(agents.cellOf(EMAIL).by), "by Dana Ruiz: back at ten");
  // A reason code was renamed: the same state is published again, without a context.
  agents.change(media({ position: 12, media: { ...media().media, reason: { ...LUNCH, label: "Dinner" } } }));
  assert.equal(describeOrigin(agents.cellOf(EMAIL).by), "by Dana Ruiz: back at ten");
  agents.change(media({ position: 13, media: { name: "Email", state: "READY", reason: null, changedAt: 3000, routable: true } }));
  assert.equal(describeOrigin(agents.cellOf(EMAIL).by), "");
});

test("the reason of a sign-out comes beside the Media", () => {
  const out = { name: "Email", state: "LOGOUT", reason: null, changedAt: 2000, routable: false };
  agents.change(media({ media: out, context: { cause: "self", actor: null, note: "", requested: "LOGOUT", reason: { id: "2001", label: "Sick", code: "2" } } }));
  assert.equal(agents.cellOf(EMAIL).reasonLabel, "Sick");
  assert.equal(describeOrigin(agents.cellOf(EMAIL).by), "");
});

test("a corrected reason says who has corrected it", () => {
  agents.change(media({ context: { cause: "supervisor", actor: DANA, note: "", requested: "CORRECT_REASON" } }));
  assert.equal(describeOrigin(agents.cellOf(EMAIL).by), "reason corrected by Dana Ruiz");
});

test("what is older than the board changes nothing, what is unknown asks for the board", () => {
  assert.ok(agents.change(media({ position: 10 })));
  assert.equal(agents.cellOf(EMAIL).state, "READY");
  assert.equal(agents.change(media({ source: `${ANA}/Media/5009`, mrdId: "5009" })), false);
});

test("an error leaves the board alone", () => {
  assert.ok(agents.change(media({ errors: [{ constant: "E" }] })));
  assert.equal(agents.cellOf(EMAIL).state, "READY");
});

test("a desktop comes with its first sign-in, and goes with its user", () => {
  const user = { name: "Ana Lima", team: "Chat", state: "NOT_READY", reason: LUNCH, changedAt: 2000 };
  const signIn = { source: ANA, event: "PUT", agentId: "1234", mrdId: "", errors: [], user, context: null, position: 11 };
  agents.change({ ...signIn, user: { ...user, state: "LOGOUT", changedAt: null } });
  assert.equal(agents.cellOf(ANA), undefined);
  agents.change({ ...signIn, position: 12 });
  assert.ok(agents.cellOf(ANA).isDesktop);
  assert.equal(agents.cellOf(ANA).testId, "row-1234-desktop");
  agents.change({ source: ANA, event: "DELETE", agentId: "1234", mrdId: "", errors: [], position: 13 });
  assert.deepEqual([...agents.cells], []);
  assert.equal(agents.nameOf("1234"), "Ana Lima");
});

test("a snapshot removes what is not in it", () => {
  agents.replace({ position: 20, users: [], mrds: {}, media: [] });
  assert.deepEqual([...agents.cells], []);
  assert.deepEqual([...agents.all], []);
  assert.equal(structures, 2);
});
