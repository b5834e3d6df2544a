import assert from "node:assert/strict";
import { test } from "node:test";

import { bodyOf } from "../../media/own_page/static/own_page/bodies.js";
import { Pending } from "../../media/own_page/static/own_page/pending.js";

const CHAT = "/finesse/api/User/1234/Media/5000";
const notification = (fields) => ({ source: CHAT, requestId: "", errors: [], ...fields });
const subject = (fields) => ({ state: "NOT_READY", routable: true, reason: null, ...fields });
const pending = (requested, reasonId) => new Pending({ source: CHAT, requestId: "r-1", requested, reasonId });

test("bodies are those of the API", () => {
  assert.equal(bodyOf(false, "READY"), "<Media><state>READY</state></Media>");
  assert.equal(bodyOf(false, "NOT_ROUTABLE"), "<Media><routable>false</routable></Media>");
  assert.equal(bodyOf(false, "NOT_READY", { reasonCodeId: "7" }), "<Media><state>NOT_READY</state><reasonCodeId>7</reasonCodeId></Media>");
  assert.equal(bodyOf(true, "LOGIN", { extension: "1001" }), "<User><state>LOGIN</state><extension>1001</extension></User>");
});

test("what a person types cannot become markup, and what is empty is left out", () => {
  assert.equal(bodyOf(true, "LOGIN", { extension: "1<&>" }), "<User><state>LOGIN</state><extension>1&lt;&amp;&gt;</extension></User>");
  assert.equal(bodyOf(false, "LOGOUT", { reasonCodeId: "" }), "<Media><state>LOGOUT</state></Media>");
});

test("an error is the outcome of the request that it names", () => {
  const errors = [{ constant: "E_ARM", type: "Agent is not logged in" }];
  assert.deepEqual(pending("READY").outcomeIn(notification({ requestId: "r-1", errors }), null), {
    isDone: false,
    error: { message: "E_ARM", type: "Agent is not logged in" },
  });
  assert.equal(pending("READY").outcomeIn(notification({ requestId: "r-2", errors }), null), null);
  assert.equal(pending("READY").outcomeIn(notification({ errors }), null), null);
});

test("a success does not name its request: it is known by what it leads to", () => {
  assert.deepEqual(pending("READY").outcomeIn(notification(), subject({ state: "READY" })), { isDone: true });
  assert.equal(pending("READY").outcomeIn(notification(), subject()), null);
});

test("a success that names a request is the outcome of that one", () => {
  const named = notification({ requestId: "r-1" });
  assert.deepEqual(pending("READY").outcomeIn(named, subject()), { isDone: true });
  assert.equal(pending("READY").outcomeIn(notification({ requestId: "r-2" }), subject({ state: "READY" })), null);
});

test("what is about another MRD is no outcome", () => {
  const other = notification({ source: "/finesse/api/User/1234/Media/5001" });
  assert.equal(pending("READY").outcomeIn(other, subject({ state: "READY" })), null);
});

test("each request has its own end", () => {
  assert.equal(pending("NOT_READY", "7").isReachedIn(subject({ reason: { id: "7" } })), true);
  assert.equal(pending("NOT_READY", "7").isReachedIn(subject({ reason: { id: "8" } })), false);
  assert.equal(pending("NOT_READY").isReachedIn(subject()), true);
  assert.equal(pending("LOGIN").isReachedIn(subject()), true);
  assert.equal(pending("LOGIN").isReachedIn(subject({ state: "LOGOUT" })), false);
  assert.equal(pending("LOGOUT").isReachedIn(subject({ state: "LOGOUT" })), true);
  assert.equal(pending("ACTIVE").isReachedIn(subject({ state: "WORK" })), false);
  assert.equal(pending("ACTIVE").isReachedIn(subject({ state: "READY" })), true);
  assert.equal(pending("ROUTABLE").isReachedIn(subject({ routable: false })), false);
  assert.equal(pending("NOT_ROUTABLE").isReachedIn(subject({ routable: false })), true);
});
