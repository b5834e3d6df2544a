/**
 * Counts for the buttons above the board. Each facet's numbers are of what all other choices let
 * through, so that a button says how many it would show.
 *
 * Rows are counted by state. Agents are counted by team, MRD and reason, each once. `breaks` has the
 * agents of a team of whom one cell at least is on a break.
 */
export function tally(cells) {
  const states = new Map();
  const [teams, mrds, reasons, breaks] = [new Sets(), new Sets(), new Sets(), new Sets()];
  for (const cell of cells) {
    const facet = cell.refusals.length > 1 ? null : (cell.refusals[0] ?? "any");
    if (facet === null) continue;
    const counts = (name) => facet === "any" || facet === name;
    if (counts("states")) states.set(cell.state, (states.get(cell.state) ?? 0) + 1);
    if (counts("mrds")) mrds.add(cell.mrdId, cell.agent.id);
    if (counts("reasons") && cell.reasonId) reasons.add(cell.reasonId, cell.agent.id);
    if (!counts("teams")) continue;
    teams.add(cell.team, cell.agent.id);
    if (cell.isOnBreak) breaks.add(cell.team, cell.agent.id);
  }
  return { states, teams: teams.sizes(), mrds: mrds.sizes(), reasons: reasons.sizes(), breaks: breaks.sizes() };
}

class Sets {
  #byKey = new Map();

  add(key, member) {
    const set = this.#byKey.get(key);
    if (set) set.add(member);
    else this.#byKey.set(key, new Set([member]));
  }

  sizes() {
    return new Map([...this.#byKey].map(([key, set]) => [key, set.size]));
  }
}
