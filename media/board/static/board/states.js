let known;

/** All states, in the order in which the board counts and sorts them. The page contains the list. */
export function states() {
  known ??= JSON.parse(document.getElementById("states").textContent);
  return known;
}

/** A state's place in that order; a state that the page does not list comes last. */
export function rankOf(state) {
  const rank = states().indexOf(state);
  return rank < 0 ? states().length : rank;
}
