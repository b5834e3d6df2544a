import assert from "node:assert/strict";
import { test } from "node:test";

import { mayWait, waitingSentence } from "../../media/own_page/static/own_page/later.js";

const offer = (action, fields = {}) => ({ action, isShown: true, why: "Only while you are “Not ready”.", isPresent: false, ...fields });
const actions = (subject, ...offered) => mayWait({ state: "ACTIVE", isDesktop: false, ...subject }, offered).map(({ action }) => action);

test("what the rules refuse now may wait", () => {
  assert.deepEqual(actions({}, offer("ready"), offer("sign-out")), ["ready", "sign-out"]);
});

test("what is allowed, is so already or is not shown does not wait", () => {
  assert.deepEqual(actions({}, offer("ready", { why: "" }), offer("not-ready", { isPresent: true }), offer("routable", { isShown: false })), []);
});

test("nothing waits for somebody who is signed out, and signing in never waits", () => {
  assert.deepEqual(actions({ state: "LOGOUT" }, offer("ready")), []);
  assert.deepEqual(actions({}, offer("sign-in"), offer("active")), []);
});

test("a desktop has no modes that could wait", () => {
  assert.deepEqual(actions({ isDesktop: true }, offer("sign-out"), offer("routable")), ["sign-out"]);
});

test("what waits is said with the supervisor who asked for it and the note", () => {
  const words = { ready: "Ready", "sign-out": "Sign out" };
  assert.equal(waitingSentence({ requested: "READY", by: null, note: "" }, words), "After this one: Ready");
  assert.equal(waitingSentence({ requested: "FORCED_LOGOUT", by: "Dana Ruiz", note: "Go home" }, words), "After this one: Sign out, by Dana Ruiz: “Go home”");
});

test("what waits for a place is said with the place in the queue", () => {
  const waiting = { requested: "NOT_READY", by: null, note: "", reason: "Lunch", place: "3rd of 4" };
  assert.equal(waitingSentence(waiting, { "not-ready": "Not ready" }), "As soon as a place is free (you are the 3rd of 4): Not ready for “Lunch”");
});
