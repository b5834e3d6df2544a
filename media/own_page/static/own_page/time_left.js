const MINUTE_MS = 60_000;

/**
 * The time that is left in a state whose reason has a maximum; null without one.
 *
 * @param {?number} changedAt milliseconds
 * @param {?{maximumMinutes: ?number, warningMinutes: ?number}} reason
 * @param {(milliseconds: number) => string} format as 4:59
 * @returns {?{level: "fine"|"soon"|"over", text: string}}
 */
export function timeLeft(changedAt, reason, now, format) {
  const maximum = reason?.maximumMinutes;
  if (!maximum || changedAt === null) return null;
  const left = changedAt + maximum * MINUTE_MS - now;
  if (left < 0) return { level: "over", text: `Over by ${format(-left)}: ${minutes(maximum)} at most` };
  const isSoon = Boolean(reason.warningMinutes) && left <= reason.warningMinutes * MINUTE_MS;
  const text = `${format(left)} left of ${minutes(maximum)}`;
  return isSoon ? { level: "soon", text: `Only ${text}` } : { level: "fine", text };
}

export function minutes(count) {
  return count === 1 ? "1 minute" : `${count} minutes`;
}
