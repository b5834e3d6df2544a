import { describeOrigin } from "./origin.js";
import { placeInQueue } from "./queue.js";
import { wordOf } from "./states.js";

const SERVICE = { IN_SERVICE: "In service", OUT_OF_SERVICE: "Out of service" };

/** A notification in one line, and its kind, which the style sheet knows. */
export function summarise(notification) {
  const { event, agentId, mrdId, media, user, service, reasonCode, waitingChange, errors, contents, isReadable } = notification;
  if (!isReadable) return { kind: "other", what: "An update that is not well-formed XML" };
  if (errors.length) return { kind: "error", what: errors.map(describeError).join("; ") };
  const by = describeOrigin(notification.context);
  if (media) return summariseMedia(event, media, by);
  if (user) return summariseUser(event, user, by);
  if (reasonCode) return summariseReasonCode(event, reasonCode);
  if (waitingChange) return { kind: "change", what: describeWaiting(waitingChange) };
  if (notification.limit) return summariseLimit(notification.limit);
  if (service) return { kind: "service", what: joined(SERVICE[service.status] ?? service.status, service.faults) };
  // The notification about a deleted user has no data.
  if (event === "DELETE" && agentId && !mrdId && !contents.length) return { kind: "left", what: "User deleted" };
  if (event === "DELETE") return { kind: "left", what: `Removed: ${contents.join(", ") || "–"}` };
  return { kind: "other", what: `${event} ${contents.join(", ") || "without data"}` };
}

function summariseMedia(event, { state, reason }, by) {
  if (event === "DELETE") return { kind: "left", what: "Left the MRD" };
  const what = joined(wordOf(state), reason?.label, by);
  return event === "POST" ? { kind: "joined", what: `Joined the MRD · ${what}` } : { kind: "change", what };
}

/** The state in a User is that of its desktop. */
function summariseUser(event, { state, reason }, by) {
  if (event === "DELETE") return { kind: "left", what: "User deleted" };
  const desktop = joined(wordOf(state), reason?.label, by);
  return event === "POST"
    ? { kind: "joined", what: `User added · desktop ${desktop}` }
    : { kind: "change", what: `Desktop ${desktop}` };
}

const OF_LISTS = { POST: ["joined", "Offered"], PUT: ["change", "Changed"], DELETE: ["left", "No longer offered"] };

function summariseReasonCode(event, { label, code }) {
  const [kind, what] = OF_LISTS[event] ?? OF_LISTS.PUT;
  return { kind, what: `${what}: ${label} (${code})` };
}

const ENDED = {
  applied: "applied",
  replaced: "replaced by another",
  cancelled: "cancelled",
  void: "void, as the agent was signed out",
  overtaken: "void, as the state was changed otherwise",
  no_queue: "void, as the rule has no queue any more",
};

const REQUESTED = { ROUTABLE: "Routable", NOT_ROUTABLE: "Not routable", LOGOUT: "Sign-out", FORCED_LOGOUT: "Sign-out" };

function describeWaiting({ requested, outcome, waitsFor, place, placeOf }) {
  const change = REQUESTED[requested] ?? wordOf(requested);
  const what = waitsFor === "place" ? `${change} as soon as a place is free` : `${change} after this one`;
  if (outcome) return `${what}: ${ENDED[outcome] ?? outcome}`;
  return place ? `${what}: waits, ${placeInQueue(place, placeOf)}` : `${what}: waits`;
}

function summariseLimit({ label, to }) {
  const told = to === "agent" ? "the agent is reminded" : "the supervisors are told";
  return { kind: "change", what: `The time for ${label} is over: ${told}` };
}

function describeError({ constant, type }) {
  return joined(constant, type) || "Error";
}

function joined(...texts) {
  return texts.filter(Boolean).join(" · ");
}
