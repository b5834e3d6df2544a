import { rankOf, states } from "./states.js";
import { fromTemplate } from "./template.js";

/** The number of rows in each state, as buttons that show only those rows. */
export class Counts {
  #element;
  #onChange;
  #buttons = new Map();
  #chosen = new Set();

  constructor(element, onChange) {
    this.#element = element;
    this.#onChange = onChange;
    states().forEach((state) => this.#buttonFor(state));
  }

  get isChosen() {
    return this.#chosen.size > 0;
  }

  allows(state) {
    return !this.isChosen || this.#chosen.has(state);
  }

  clear() {
    this.#chosen.clear();
    this.#buttons.forEach(({ element }) => element.setAttribute("aria-pressed", "false"));
  }

  /** Show these counts, a Map by state; a state that is not in it has no rows. */
  show(counts) {
    for (const state of counts.keys()) this.#buttonFor(state);
    for (const [state, button] of this.#buttons) {
      const count = counts.get(state) ?? 0;
      if (button.count === count) continue;
      button.count = count;
      button.number.textContent = count;
      button.element.classList.toggle("none", count === 0);
    }
  }

  #buttonFor(state) {
    if (!this.#buttons.has(state)) this.#buttons.set(state, this.#addButton(state));
    return this.#buttons.get(state);
  }

  #addButton(state) {
    const element = fromTemplate("count-template");
    element.dataset.state = state;
    element.querySelector("[data-part=state]").textContent = state;
    element.addEventListener("click", () => this.#toggle(state));
    const after = [...this.#buttons].find(([other]) => rankOf(other) > rankOf(state));
    this.#element.insertBefore(element, after?.[1].element ?? null);
    return { element, number: element.querySelector("[data-part=count]"), count: -1 };
  }

  #toggle(state) {
    const isChosen = !this.#chosen.delete(state);
    if (isChosen) this.#chosen.add(state);
    this.#buttons.get(state).element.setAttribute("aria-pressed", String(isChosen));
    this.#onChange();
  }
}
