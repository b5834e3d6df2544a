import { formatDuration } from "./clock.js";

const MINUTE_MS = 60_000;

/**
 * When a state becomes too long, in milliseconds since 1970: {dueAt, warnAt}, each null if never.
 * The maximum is that of the reason or the viewer's own "longer than", whichever comes first; somebody
 * who is signed out is never over it.
 */
export function limitOf({ state, changedAt }, { maximumMinutes, warningMinutes }, longerThan) {
  if (changedAt === null || state === "LOGOUT") return { dueAt: null, warnAt: null };
  const ends = [maximumMinutes, longerThan].filter((minutes) => minutes != null);
  if (!ends.length) return { dueAt: null, warnAt: null };
  const dueAt = changedAt + Math.min(...ends) * MINUTE_MS;
  // A rule's maximum may be shorter than the reason's own, which the warning is made for.
  const hasWarning = warningMinutes != null && maximumMinutes != null && warningMinutes < maximumMinutes;
  const warnAt = !hasWarning ? null : changedAt + (maximumMinutes - warningMinutes) * MINUTE_MS;
  return { dueAt, warnAt: warnAt !== null && warnAt < dueAt ? warnAt : null };
}

/** What is said of a limit: {level, text}, where level is over, soon, within or none. */
export function describeLimit({ dueAt, warnAt }, now) {
  if (dueAt === null) return { level: "none", text: "" };
  if (now >= dueAt) return { level: "over", text: `${formatDuration(now - dueAt)} over` };
  const level = warnAt !== null && now >= warnAt ? "soon" : "within";
  return { level, text: `${formatDuration(dueAt - now)} left` };
}
