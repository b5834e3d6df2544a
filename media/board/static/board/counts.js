import { fromTemplate } from "./template.js";

const collator = new Intl.Collator("en-GB", { numeric: true, sensitivity: "base" });

/** Buttons that each say how many rows or agents there are of something, and show only those. */
export class Counts {
  #element;
  #describe;
  #onChange;
  #buttons = new Map();
  #chosen = new Set();

  /**
   * `describe(key)` returns what a button shows: {text, rank, state, colour}, where buttons stand by
   * rank, then by text. `always` are the keys that have a button although there is none of them.
   */
  constructor(element, { describe, onChange, always = [] }) {
    this.#element = element;
    this.#describe = describe;
    this.#onChange = onChange;
    always.forEach((key) => this.#buttonFor(key));
  }

  get chosen() {
    return [...this.#chosen];
  }

  choose(keys) {
    this.#chosen = new Set(keys);
    for (const key of keys) this.#buttonFor(key);
    for (const [key, { element }] of this.#buttons) element.setAttribute("aria-pressed", String(this.#chosen.has(key)));
  }

  /** Show these counts, a Map by key; what is not in it is none. `details` is a Map of more to say. */
  show(counts, details = new Map()) {
    for (const key of counts.keys()) this.#buttonFor(key);
    for (const [key, button] of this.#buttons) {
      const count = counts.get(key) ?? 0;
      const detail = details.get(key) ?? "";
      if (button.detail !== detail) button.more.textContent = button.detail = detail;
      if (button.count === count) continue;
      button.count = count;
      button.number.textContent = count.toLocaleString("en-GB");
      button.element.classList.toggle("none", count === 0);
    }
  }

  /** What the buttons are called may have changed. */
  rename() {
    for (const [key, button] of this.#buttons) this.#write(button, this.#describe(key));
    const inOrder = [...this.#buttons.values()].sort(inOrderOf);
    inOrder.forEach(({ element }, index) => {
      if (this.#element.children[index] !== element) this.#element.insertBefore(element, this.#element.children[index] ?? null);
    });
  }

  #buttonFor(key) {
    if (!this.#buttons.has(key)) this.#buttons.set(key, this.#addButton(key));
    return this.#buttons.get(key);
  }

  #addButton(key) {
    const element = fromTemplate("count-template");
    const find = (part) => element.querySelector(`[data-part=${part}]`);
    const button = { element, number: find("count"), name: find("name"), more: find("more"), swatch: find("swatch"), count: -1, detail: "" };
    element.addEventListener("click", () => this.#toggle(key));
    this.#write(button, this.#describe(key));
    const after = [...this.#buttons.values()].sort(inOrderOf).find((other) => inOrderOf(other, button) > 0);
    this.#element.insertBefore(element, after?.element ?? null);
    return button;
  }

  #write(button, { text, rank = 0, state, colour }) {
    button.text = text;
    button.rank = rank;
    if (button.name.textContent !== text) button.name.textContent = text;
    button.element.classList.toggle("badge", Boolean(state));
    if (state) button.element.dataset.state = state;
    button.swatch.hidden = !colour;
    button.swatch.style.backgroundColor = colour ?? "";
  }

  #toggle(key) {
    const isChosen = !this.#chosen.delete(key);
    if (isChosen) this.#chosen.add(key);
    this.#buttons.get(key).element.setAttribute("aria-pressed", String(isChosen));
    this.#onChange();
  }
}

function inOrderOf(a, b) {
  return a.rank - b.rank || collator.compare(a.text, b.text);
}
