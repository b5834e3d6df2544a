import { REQUESTED } from "./rules.js";

/** What the rules refuse now may wait for them; signing in and back to work are no such changes. */
const MAY_WAIT = new Set(["ready", "not-ready", "routable", "not-routable", "sign-out"]);

/**
 * The changes that could wait: shown, refused by the rules of the state, and not there already.
 *
 * @param {{action: string, isShown: boolean, why: string, isPresent: boolean}[]} offered
 */
export function mayWait({ state, isDesktop }, offered) {
  if (state === "LOGOUT") return [];
  return offered.filter(({ action, isShown, why, isPresent }) => isShown && why && !isPresent && MAY_WAIT.has(action) && !(isDesktop && action.includes("routable")));
}

/** What waits, in a sentence. `place` is that in a queue, as "3rd of 4"; empty for what waits for none. */
export function waitingSentence({ requested, by, note, reason = "", place = "" }, words) {
  const [action] = Object.entries(REQUESTED).find(([, one]) => one === requested) ?? [];
  const what = words[action] ?? { FORCED_LOGOUT: words["sign-out"] }[requested] ?? requested;
  const because = place && reason ? ` for “${reason}”` : "";
  const when = place ? `As soon as a place is free (you are the ${place})` : "After this one";
  const who = by ? `, by ${by}` : "";
  return `${when}: ${what}${because}${who}${note ? `: “${note}”` : ""}`;
}
