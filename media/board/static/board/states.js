let known;

/** Every state, in the order in which the board counts and sorts them. The page brings the list. */
export function states() {
  known ??= JSON.parse(document.getElementById("states").textContent);
  return known;
}

export function rankOf(state) {
  const rank = states().indexOf(state);
  return rank < 0 ? states().length : rank;
}
