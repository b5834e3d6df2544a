const DONE_TO_YOU = {
  READY: "made you Ready",
  NOT_READY: "made you Not ready",
  LOGOUT: "signed you out",
  FORCED_LOGOUT: "signed you out",
  ROUTABLE: "made you routable",
  NOT_ROUTABLE: "made you not routable",
  CORRECT_REASON: "corrected the reason",
  CONNECTION_LOST: "reported that your connection was lost",
  WORK: "reported that your connection was lost",
};
const BECAUSE = {
  inactive: ", as your user was deactivated",
  removed: ", as you were taken out of the channel",
  deleted: ", as your user was deleted",
};

const YOUR_TURN = "It was your turn: a place is free.";

/**
 * Who has changed the agent's state, and why, in a sentence; empty if it was the agent.
 *
 * @param {?{cause: string, actor: ?{id: string, name: string}, note: string, requested: string}} by
 */
export function byWhom(by) {
  if (!by) return "";
  const note = by.note ? `: “${by.note}”` : "";
  if (by.cause === "self") return [by.fromQueue ? YOUR_TURN : "", note && `Your note${note}`].filter(Boolean).join(" ");
  const who = by.cause === "supervisor" ? by.actor?.name || by.actor?.id || "A supervisor" : "The system";
  const what = DONE_TO_YOU[by.requested] ?? "changed your state";
  const turn = by.fromQueue ? `${YOUR_TURN} ` : "";
  return `${turn}${who} ${what}${BECAUSE[by.cause] ?? ""}${note || "."}`;
}

/** An error of the API in the agent's words. */
export function sentenceOf({ message, type }, { errors }) {
  return errors[message] ?? errors[type] ?? `The server has refused this: ${message || type || "no reason given"}.`;
}

/** What has been reached, once it is. */
export function doneSentence(requested, { state, routable, isDesktop }, { states }) {
  if (requested === "ROUTABLE") return "Done: new tasks may come to you.";
  if (requested === "NOT_ROUTABLE") {
    return routable ? "Done: no new tasks come to you after the one that is offered." : "Done: no new tasks come to you.";
  }
  const mode = state === "READY" && !isDesktop && !routable ? ", but not routable" : "";
  return `Done: you are “${states[state] ?? state}”${mode}.`;
}
