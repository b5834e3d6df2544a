import { rankOf } from "./states.js";

const collator = new Intl.Collator("en-GB", { numeric: true, sensitivity: "base" });
const text = (of) => (a, b) => collator.compare(of(a), of(b));
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
};

const HAS_VALUE = {
  reason: (row) => row.reason !== null,
  time: (row) => row.changedAt !== null,
};

/** The columns whose values change while the board is shown. */
const CHANGING_COLUMNS = new Set(["state", "reason", "time"]);

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
      this.#choose(key);
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

  #choose(key) {
    // The longest time in a state first: these agents need attention.
    this.#isDescending = key === this.#key ? !this.#isDescending : key === "time";
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
    return byAgent.reduce((found, next) => found || next(a, b), 0);
  };
}
