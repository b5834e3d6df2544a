const SERVICE = { IN_SERVICE: "In service", OUT_OF_SERVICE: "Out of service" };

/** A notification in one line, and its kind, which the style sheet knows. */
export function summarise(notification) {
  const { event, agentId, mrdId, media, user, service, reasonCode, errors, contents, isReadable } = notification;
  if (!isReadable) return { kind: "other", what: "An update that is not well-formed XML" };
  if (errors.length) return { kind: "error", what: errors.map(describeError).join("; ") };
  if (media) return summariseMedia(event, media);
  if (user) return summariseUser(event, user);
  if (reasonCode) return summariseReasonCode(event, reasonCode);
  if (service) return { kind: "service", what: joined(SERVICE[service.status] ?? service.status, service.faults) };
  // The notification about a deleted user has no data.
  if (event === "DELETE" && agentId && !mrdId && !contents.length) return { kind: "left", what: "User deleted" };
  if (event === "DELETE") return { kind: "left", what: `Removed: ${contents.join(", ") || "–"}` };
  return { kind: "other", what: `${event} ${contents.join(", ") || "without data"}` };
}

function summariseMedia(event, { state, reason }) {
  if (event === "DELETE") return { kind: "left", what: "Left the MRD" };
  const what = joined(state, reason?.label);
  return event === "POST" ? { kind: "joined", what: `Joined the MRD · ${what}` } : { kind: "change", what };
}

/** The state in a User is that of its desktop. */
function summariseUser(event, { state, reason }) {
  if (event === "DELETE") return { kind: "left", what: "User deleted" };
  const desktop = joined(state, reason?.label);
  return event === "POST"
    ? { kind: "joined", what: `User added · desktop ${desktop}` }
    : { kind: "change", what: `Desktop ${desktop}` };
}

const OF_LISTS = { POST: ["joined", "Offered"], PUT: ["change", "Changed"], DELETE: ["left", "No longer offered"] };

function summariseReasonCode(event, { label, code }) {
  const [kind, what] = OF_LISTS[event] ?? OF_LISTS.PUT;
  return { kind, what: `${what}: ${label} (${code})` };
}

function describeError({ constant, type }) {
  return joined(constant, type) || "Error";
}

function joined(...texts) {
  return texts.filter(Boolean).join(" · ");
}
