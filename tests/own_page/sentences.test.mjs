import assert from "node:assert/strict";
import { test } from "node:test";

import { byWhom, doneSentence, sentenceOf } from "../../media/own_page/static/own_page/sentences.js";

const DANA = { id: "2001", name: "Dana Ruiz" };
const by = (fields) => byWhom({ cause: "supervisor", actor: DANA, note: "", requested: "NOT_READY", ...fields });

test("a supervisor is named, with what was done and the note", () => {
  assert.equal(by({ note: "Come and see me" }), "Dana Ruiz made you Not ready: “Come and see me”");
  assert.equal(by({}), "Dana Ruiz made you Not ready.");
  assert.equal(by({ requested: "CORRECT_REASON", note: "It was lunch" }), "Dana Ruiz corrected the reason: “It was lunch”");
  assert.equal(by({ requested: "FORCED_LOGOUT" }), "Dana Ruiz signed you out.");
  assert.equal(by({ requested: "NOT_ROUTABLE" }), "Dana Ruiz made you not routable.");
});

test("a supervisor without a name is named by the id, and one who is gone by the role", () => {
  assert.equal(by({ actor: { id: "2001", name: "" } }), "2001 made you Not ready.");
  assert.equal(by({ actor: null }), "A supervisor made you Not ready.");
});

test("the system says why", () => {
  assert.equal(by({ cause: "removed", actor: null, requested: "FORCED_LOGOUT" }), "The system signed you out, as you were taken out of the channel.");
  assert.equal(by({ cause: "system", actor: null, requested: "CONNECTION_LOST" }), "The system reported that your connection was lost.");
});

test("of one's own changes nothing is said but the note", () => {
  assert.equal(byWhom(null), "");
  assert.equal(by({ cause: "self", fromQueue: true }), "It was your turn: a place is free.");
  assert.equal(by({ fromQueue: true }), "It was your turn: a place is free. Dana Ruiz made you Not ready.");
  assert.equal(by({ cause: "self" }), "");
  assert.equal(by({ cause: "self", note: "Dentist" }), "Your note: “Dentist”");
});

test("what is not known is a change all the same", () => {
  assert.equal(by({ requested: "SOMETHING_NEW" }), "Dana Ruiz changed your state.");
});

test("an error is told by its message, else by its type, else as it came", () => {
  const words = { errors: { E_ARM: "Sign in first.", "Bad Request": "Reload the page." } };
  assert.equal(sentenceOf({ message: "E_ARM", type: "x" }, words), "Sign in first.");
  assert.equal(sentenceOf({ message: "no XML", type: "Bad Request" }, words), "Reload the page.");
  assert.equal(sentenceOf({ message: "Oops", type: "x" }, words), "The server has refused this: Oops.");
  assert.equal(sentenceOf({}, words), "The server has refused this: no reason given.");
});

test("a success says what is now", () => {
  const words = { states: { READY: "Ready", NOT_READY: "Not ready" } };
  const done = (requested, subject) => doneSentence(requested, { isDesktop: false, routable: true, ...subject }, words);
  assert.equal(done("READY", { state: "READY" }), "Done: you are “Ready”.");
  assert.equal(done("READY", { state: "READY", routable: false }), "Done: you are “Ready”, but not routable.");
  assert.equal(done("READY", { state: "READY", routable: false, isDesktop: true }), "Done: you are “Ready”.");
  assert.equal(done("ROUTABLE", { state: "READY" }), "Done: new tasks may come to you.");
  assert.equal(done("NOT_ROUTABLE", { state: "READY", routable: false }), "Done: no new tasks come to you.");
  assert.match(done("NOT_ROUTABLE", { state: "RESERVED" }), /after the one that is offered/);
});
