let words;
let ranks;

/** The word for each state, in the order in which the board counts and sorts them. The page contains the list. */
function listed() {
  words ??= new Map(JSON.parse(document.getElementById("states").textContent));
  return words;
}

/** All states, by their names in the protocol. */
export function states() {
  return [...listed().keys()];
}

/** A state's place in that order; a state that the page does not list comes last. */
export function rankOf(state) {
  ranks ??= new Map(states().map((known, rank) => [known, rank]));
  return ranks.get(state) ?? ranks.size;
}

/** What people call a state. */
export function wordOf(state) {
  return listed().get(state) ?? state;
}

/** By what a state is found: its name in the protocol and what people call it, each as one word. */
export function namesOf(state) {
  return [state, wordOf(state).replaceAll(" ", "_")];
}

/** The names of all states. */
export function names() {
  return states().flatMap(namesOf);
}
