import { rankOf } from "./states.js";

const collator = new Intl.Collator("en-GB", { numeric: true, sensitivity: "base" });
const text = (of) => (a, b) => (of(a) === of(b) ? 0 : collator.compare(of(a), of(b)));
const number = (of) => (a, b) => of(a) - of(b);

const byAgent = [text((row) => row.agent.name), text((row) => row.agent.id), text((row) => row.mrd.name), text((row) => row.source)];

const ORDERS = {
  agent: byAgent[0],
  team: text((row) => row.agent.team),
  mrd: text((row) => row.mrd.name),
  state: number((row) => rankOf(row.state)),
  reason: text((row) => row.reasonLabel),
  // By duration: the latest change has the shortest.
  time: number((row) => -row.changedAt),
  // By overrun, which grows at the same pace everywhere: the one that is due last has the shortest.
  over: number((row) => -row.dueAt),
};

const HAS_VALUE = {
  reason: (row) => row.reason !== null,
  time: (row) => row.changedAt !== null,
  over: (row) => row.dueAt !== null,
};

/** The columns whose values change while the board is shown. */
const CHANGING_COLUMNS = new Set(["state", "reason", "time", "over"]);
/** The longest first: these agents need attention. */
const LONGEST_FIRST = new Set(["time", "over"]);

/** By agent, then by MRD: the order of rows that are equal in every other one. */
export function compareByAgent(a, b) {
  return byAgent.reduce((found, next) => found || next(a, b), 0);
}

/** The order of the board, chosen with the buttons in the table's head. */
export class Sorting {
  #buttons;
  #key = "agent";
  #isDescending = false;

  constructor(head, onChange) {
    this.#buttons = [...head.querySelectorAll("[data-sort]")];
    head.addEventListener("click", ({ target }) => {
      const key = target.closest("[data-sort]")?.dataset.sort;
      if (!key) return;
      this.#press(key);
      onChange();
    });
    this.#show();
  }

  get isByAgent() {
    return this.#key === "agent";
  }

  get isByChangingColumn() {
    return CHANGING_COLUMNS.has(this.#key);
  }

  get key() {
    return this.#key;
  }

  /** Whether the longest or the last comes first; null if the column begins with that by itself. */
  get descending() {
    return this.#isDescending === LONGEST_FIRST.has(this.#key) ? null : this.#isDescending;
  }

  /** As an address says; a column that is none leaves the order by agent. */
  choose(key, descending) {
    this.#key = key in ORDERS ? key : "agent";
    this.#isDescending = descending ?? LONGEST_FIRST.has(this.#key);
    this.#show();
  }

  #press(key) {
    this.#isDescending = key === this.#key ? !this.#isDescending : LONGEST_FIRST.has(key);
    this.#key = key;
    this.#show();
  }

  #show() {
    for (const button of this.#buttons) {
      const cell = button.closest("th");
      if (button.dataset.sort === this.#key) cell.setAttribute("aria-sort", this.#isDescending ? "descending" : "ascending");
      else cell.removeAttribute("aria-sort");
    }
  }

  /** For Array.sort. Rows without a value come last in both directions. */
  compare = (a, b) => {
    const hasValue = HAS_VALUE[this.#key] ?? (() => true);
    const byPresence = hasValue(b) - hasValue(a);
    if (byPresence) return byPresence;
    const order = hasValue(a) ? ORDERS[this.#key](a, b) : 0;
    if (order) return this.#isDescending ? -order : order;
    return a.rank === undefined ? compareByAgent(a, b) : a.rank - b.rank;
  };
}
