import { minutesOf } from "./address.js";
import { Counts } from "./counts.js";
import { DESKTOP } from "./cell.js";
import { EVERYTHING } from "./filter.js";
import { rankOf, states, wordOf } from "./states.js";

/** What the viewer chooses with: the filter, the rows, the limit. Shows a view, and says when it changes. */
export class Controls {
  #root;
  #onFilter;
  #counts;
  #onlyOver;

  constructor(root, { agents, meanings, onFilter, onRows }) {
    this.#root = root;
    this.#onFilter = onFilter;
    this.#onlyOver = this.#find("#over-limit");
    const describe = describers(agents, meanings);
    const facet = (id, of, always) => new Counts(this.#find(id), { describe: of, onChange: onFilter, always });
    this.#counts = {
      states: facet("#counts", describe.state, states()),
      teams: facet("#teams", describe.team),
      mrds: facet("#mrds", describe.mrd),
      reasons: facet("#reasons", describe.reason),
    };
    for (const id of ["#filter", "#longer"]) this.#find(id).addEventListener("input", onFilter);
    this.#find("#signed-out").addEventListener("change", onFilter);
    this.#find("#filter").addEventListener("keydown", (event) => event.key === "Escape" && this.clear());
    this.#find("#clear-filter").addEventListener("click", () => this.clear());
    this.#onlyOver.addEventListener("click", () => this.#toggleOver());
    for (const radio of this.#radios) radio.addEventListener("change", () => onRows(this.rows));
  }

  #find(selector) {
    return this.#root.querySelector(selector);
  }

  get #radios() {
    return this.#root.querySelectorAll("[name=rows]");
  }

  get rows() {
    return [...this.#radios].find(({ checked }) => checked)?.value ?? "mrds";
  }

  get filter() {
    const chosen = Object.entries(this.#counts).map(([facet, counts]) => [facet, counts.chosen]);
    return {
      ...Object.fromEntries(chosen),
      text: this.#find("#filter").value,
      hidesSignedOut: !this.#find("#signed-out").checked,
      longerThan: minutesOf(this.#find("#longer").value),
      onlyOver: this.#onlyOver.ariaPressed === "true",
    };
  }

  show({ filter, rows }) {
    for (const [facet, counts] of Object.entries(this.#counts)) counts.choose(filter[facet]);
    this.#find("#filter").value = filter.text;
    this.#find("#signed-out").checked = !filter.hidesSignedOut;
    this.#find("#longer").value = filter.longerThan ?? "";
    this.#onlyOver.ariaPressed = String(filter.onlyOver);
    for (const radio of this.#radios) radio.checked = radio.value === rows;
    if (filter.teams.length || filter.mrds.length || filter.reasons.length) this.#find("#facets").open = true;
  }

  /** Everything is shown again; the limit stays, as it hides nothing. */
  clear() {
    this.show({ filter: { ...EVERYTHING, longerThan: this.filter.longerThan }, rows: this.rows });
    this.#onFilter();
    this.#find("#filter").focus();
  }

  #toggleOver() {
    this.#onlyOver.ariaPressed = String(this.#onlyOver.ariaPressed !== "true");
    this.#onFilter();
  }

  /** `tally` as of tally.js; `over` is the number of rows over the limit. */
  showCounts(tally, over) {
    this.#counts.states.show(tally.states);
    this.#counts.mrds.show(tally.mrds);
    this.#counts.reasons.show(tally.reasons);
    const breaks = new Map([...tally.breaks].map(([team, count]) => [team, `${count} on a break`]));
    this.#counts.teams.show(tally.teams, breaks);
    const text = `${over.toLocaleString("en-GB")} over the limit`;
    if (this.#onlyOver.textContent !== text) this.#onlyOver.textContent = text;
    this.#onlyOver.classList.toggle("none", over === 0);
  }

  /** Teams, MRDs or reasons may be called otherwise than before. */
  rename() {
    for (const counts of Object.values(this.#counts)) counts.rename();
  }
}

function describers(agents, meanings) {
  return {
    state: (state) => ({ text: wordOf(state), rank: rankOf(state), state }),
    team: (team) => ({ text: team || "No team", rank: team ? 0 : 1 }),
    mrd: (id) => (id === DESKTOP ? { text: "Desktop", rank: 1 } : { text: agents.mrdNameOf(id) || id }),
    reason: (id) => {
      const { label, colour } = meanings.of({ id });
      return { text: label || agents.reasonNameOf(id) || `Reason ${id}`, colour };
    },
  };
}
