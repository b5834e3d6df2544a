const PARTIES = {
  supervisor: "by a supervisor",
  system: "by the system",
  limit: "by the system, as the time for the reason was over",
  inactive: "by the system, as the user was deactivated",
  removed: "by the system, as the agent was taken out of the MRD",
  deleted: "by the system, as the user was deleted",
};

/** Who has brought a state about, if it was not the agent just now, and the note: "by Dana Ruiz: back at ten". */
export function describeOrigin(by) {
  if (!by) return "";
  const isCorrection = by.requested === "CORRECT_REASON";
  const party = by.cause === "self" ? "" : `${isCorrection ? "reason corrected " : ""}${partyOf(by)}`;
  const turn = by.fromQueue ? "a place was free" : "";
  return [[turn, party].filter(Boolean).join(", "), by.note].filter(Boolean).join(": ");
}

function partyOf({ cause, actor }) {
  if (cause === "supervisor" && actor) return `by ${actor.name || actor.id}`;
  return PARTIES[cause] ?? "by somebody else";
}
