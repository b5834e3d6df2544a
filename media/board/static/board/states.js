/** In the order in which the board counts and sorts them. */
export const STATES = [
  "READY",
  "RESERVED",
  "ACTIVE",
  "PAUSED",
  "INTERRUPTED",
  "WORK",
  "WORK_READY",
  "NOT_READY",
  "LOGOUT",
];

export function rankOf(state) {
  const rank = STATES.indexOf(state);
  return rank < 0 ? STATES.length : rank;
}
