import { minutes } from "./time_left.js";

/**
 * What a break rule says of a reason, in sentences; empty without one.
 *
 * @param {?{says: string, budgetLeftSeconds: ?number, places: ?{most: number, taken: number}}} limit
 */
export function limitSentence(limit) {
  if (!limit) return "";
  const parts = [limit.says];
  if (limit.places) parts.push(placesSentence(limit.places));
  if (limit.budgetLeftSeconds !== null) parts.push(`You have ${minutes(Math.floor(limit.budgetLeftSeconds / 60))} left today.`);
  return parts.filter(Boolean).join(" ");
}

/** Whether all places at a reason are taken, and one can wait for the next that is free. */
export function canWaitForPlace(limit) {
  const { places } = limit ?? {};
  return Boolean(places?.hasQueue) && places.taken >= places.most;
}

function placesSentence({ most, taken, hasQueue, waiting }) {
  const free = Math.max(0, most - taken);
  if (free === 0) return hasQueue ? `No place is free now. ${waitingAgents(waiting)}` : "No place is free now.";
  return free === 1 ? "1 place is free now." : `${free} places are free now.`;
}

function waitingAgents(count) {
  if (count === 0) return "Nobody waits for one yet.";
  return count === 1 ? "1 agent waits for one." : `${count} agents wait for one.`;
}
