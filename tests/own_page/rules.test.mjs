import assert from "node:assert/strict";
import { test } from "node:test";

import { explanations, offers } from "../../media/own_page/static/own_page/rules.js";

const CODES = { isRequired: true, codes: [{ id: "1" }] };
const NONE = { isRequired: false, codes: [] };
const SIGN_IN_FIRST = { why: "You are signed out; sign in first." };
const MEDIA = {
  LOGOUT: {
    LOGIN: { leadsTo: "NOT_READY" },
    READY: SIGN_IN_FIRST,
    NOT_READY: SIGN_IN_FIRST,
    LOGOUT: SIGN_IN_FIRST,
    ACTIVE: { why: "Only while you are “Connection lost”." },
    ROUTABLE: SIGN_IN_FIRST,
    NOT_ROUTABLE: SIGN_IN_FIRST,
  },
  NOT_READY: {
    LOGIN: { why: "You are signed in already." },
    READY: { leadsTo: "READY" },
    NOT_READY: { leadsTo: "NOT_READY" },
    LOGOUT: { leadsTo: "LOGOUT" },
    ACTIVE: { why: "Only while you are “Connection lost”." },
    ROUTABLE: { routable: true },
    NOT_ROUTABLE: { routable: false },
  },
  READY: {
    LOGIN: { why: "You are signed in already." },
    READY: { leadsTo: "READY" },
    NOT_READY: { leadsTo: "NOT_READY" },
    LOGOUT: { leadsTo: "LOGOUT" },
    ACTIVE: { why: "Only while you are “Connection lost”." },
    ROUTABLE: { routable: true },
    NOT_ROUTABLE: { routable: false },
  },
  WORK: {
    LOGIN: { leadsTo: "NOT_READY" },
    READY: { why: "Only while you are “Not ready” or “Ready”." },
    NOT_READY: { leadsTo: "NOT_READY" },
    LOGOUT: { why: "Only while you are “Ready”." },
    ACTIVE: {},
    ROUTABLE: { why: "Only while you are “Ready”." },
    NOT_ROUTABLE: { why: "Only while you are “Ready”." },
  },
};
const DESKTOP = {
  READY: {
    LOGIN: {},
    READY: { leadsTo: "READY" },
    NOT_READY: { leadsTo: "NOT_READY" },
    LOGOUT: { why: "Only while you are “Not ready”." },
  },
};

function data(reasons = CODES) {
  return {
    rules: { media: MEDIA, desktop: DESKTOP },
    reasons: { NOT_READY: reasons, LOGOUT: reasons },
    words: { states: { READY: "Ready", NOT_READY: "Not ready", LOGOUT: "Signed out", WORK: "Connection lost" } },
  };
}

function offered(state, { routable = false, isDesktop = false, reasons } = {}) {
  return Object.fromEntries(offers({ state, routable, isDesktop }, data(reasons)).map((one) => [one.action, one]));
}

const shown = (found) => Object.keys(found).filter((action) => found[action].isShown);

test("who is signed out may sign in, and is told why nothing else is possible", () => {
  const found = offered("LOGOUT");
  assert.deepEqual(shown(found), ["sign-in", "ready", "not-ready", "routable", "sign-out"]);
  assert.equal(found["sign-in"].why, "");
  for (const action of ["ready", "not-ready", "routable", "sign-out"]) assert.equal(found[action].why, SIGN_IN_FIRST.why);
});

test("the state that one is in is marked, not refused", () => {
  const found = offered("READY", { routable: true });
  assert.equal(found.ready.isPresent, true);
  assert.equal(found.ready.why, "You are “Ready” already.");
  assert.deepEqual(shown(found), ["ready", "not-ready", "not-routable", "sign-out"]);
});

test("another reason is a change as long as there are reasons", () => {
  assert.equal(offered("NOT_READY")["not-ready"].isPresent, false);
  assert.equal(offered("NOT_READY")["not-ready"].why, "");
  assert.equal(offered("NOT_READY", { reasons: NONE })["not-ready"].isPresent, true);
});

test("after a lost connection one may go back to work, or sign in anew", () => {
  const found = offered("WORK");
  assert.deepEqual(shown(found), ["sign-in", "ready", "not-ready", "active", "routable", "sign-out"]);
  assert.deepEqual(
    Object.keys(found).filter((action) => found[action].isShown && !found[action].why),
    ["sign-in", "not-ready", "active"],
  );
});

test("the desktop has no mode, and does not offer to sign in again", () => {
  const found = offered("READY", { isDesktop: true });
  assert.deepEqual(shown(found), ["ready", "not-ready", "sign-out"]);
  assert.equal(found["sign-out"].why, "Only while you are “Not ready”.");
});

test("in a state that the server's tables do not have nothing is possible", () => {
  for (const one of offers({ state: "DREAMING", routable: false, isDesktop: false }, data())) assert.match(one.why, /Reload/);
});

test("each reason why not is said once, for all that it is about", () => {
  const labels = { ready: "Ready", "not-ready": "Not ready", routable: "Routable", "sign-out": "Sign out" };
  const found = offers({ state: "LOGOUT", routable: false, isDesktop: false }, data());
  assert.deepEqual(explanations(found, labels), ["Ready, Not ready, Routable, Sign out: you are signed out; sign in first."]);
  const ready = offers({ state: "READY", routable: true, isDesktop: false }, data());
  assert.deepEqual(explanations(ready, labels), []);
});
