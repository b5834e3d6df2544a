import assert from "node:assert/strict";
import { test } from "node:test";
import { tally } from "../../media/board/static/board/tally.js";

const cell = (agent, mrdId, state, more = {}) => ({ agent: { id: agent }, team: "Chat", mrdId, state, reasonId: "", isOnBreak: false, refusals: [], ...more });

test("rows are counted by state, agents by team, MRD and reason, each once", () => {
  const found = tally([
    cell("ana", "chat", "NOT_READY", { reasonId: "lunch", isOnBreak: true }),
    cell("ana", "email", "NOT_READY", { reasonId: "lunch", isOnBreak: true }),
    cell("ben", "chat", "READY"),
    cell("chi", "chat", "NOT_READY", { team: "Back office", reasonId: "course" }),
  ]);
  assert.deepEqual(found, {
    states: new Map([["NOT_READY", 3], ["READY", 1]]),
    teams: new Map([["Chat", 2], ["Back office", 1]]),
    mrds: new Map([["chat", 3], ["email", 1]]),
    reasons: new Map([["lunch", 1], ["course", 1]]),
    breaks: new Map([["Chat", 1]]),
  });
});

test("a number says what its button would show: the other choices count, its own list does not", () => {
  const found = tally([cell("ana", "chat", "READY"), cell("ben", "email", "LOGOUT", { refusals: ["states"] }), cell("eva", "email", "READY", { refusals: ["mrds"] }), cell("joe", "chat", "READY", { refusals: ["states", "text"] })]);
  assert.deepEqual(found.states, new Map([["READY", 1], ["LOGOUT", 1]]));
  assert.deepEqual(found.mrds, new Map([["chat", 1], ["email", 1]]));
  assert.deepEqual(found.teams, new Map([["Chat", 1]]));
});
