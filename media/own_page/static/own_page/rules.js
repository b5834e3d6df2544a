/** The buttons of a card in their order, and what each of them asks for. */
export const REQUESTED = {
  "sign-in": "LOGIN",
  ready: "READY",
  "not-ready": "NOT_READY",
  active: "ACTIVE",
  routable: "ROUTABLE",
  "not-routable": "NOT_ROUTABLE",
  "sign-out": "LOGOUT",
};

const UNKNOWN_STATE = "This page does not know your state. Reload it.";

/**
 * What may be asked for now, by the server's tables of transitions.
 *
 * @param {{isDesktop: boolean, state: string, routable: boolean}} subject
 * @param {{rules: object, reasons: object, words: object}} data as the server has sent them
 * @returns {{action: string, isShown: boolean, why: string, isPresent: boolean}[]} `why` is why not,
 *   empty where it is allowed; `isPresent` says that it would change nothing.
 */
export function offers(subject, data) {
  const row = data.rules[subject.isDesktop ? "desktop" : "media"][subject.state];
  return Object.entries(REQUESTED)
    .filter(([action]) => !subject.isDesktop || !["active", "routable", "not-routable"].includes(action))
    .map(([action, requested]) => {
      const cell = row ? row[requested] : { why: UNKNOWN_STATE };
      const isPresent = changesNothing(subject, requested, cell, data);
      const why = isPresent ? `You are “${data.words.states[subject.state]}” already.` : (cell.why ?? "");
      return { action, isShown: isShown(action, subject, cell), why, isPresent };
    });
}

/** Another reason is a change; the state alone is none. */
function changesNothing({ state }, requested, { leadsTo }, { reasons }) {
  const hasReasons = Boolean(reasons[requested]?.codes.length);
  return leadsTo === state && leadsTo === requested && !hasReasons;
}

/** A button that can never be meant in this state would only be in the way. */
function isShown(action, { routable }, cell) {
  if (action === "sign-in") return Boolean(cell.leadsTo);
  if (action === "active") return !cell.why;
  if (action === "routable") return !routable;
  if (action === "not-routable") return routable;
  return true;
}

/** The reasons why not, each once, with the actions that it is about. */
export function explanations(offered, labels) {
  const byWhy = new Map();
  for (const { action, isShown, why, isPresent } of offered) {
    if (!isShown || !why || isPresent) continue;
    byWhy.set(why, [...(byWhy.get(why) ?? []), labels[action]]);
  }
  return [...byWhy].map(([why, names]) => `${names.join(", ")}: ${why[0].toLowerCase()}${why.slice(1)}`);
}
