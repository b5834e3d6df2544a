import { formatDuration } from "./clock.js";
import { Face } from "./face.js";
import { describeLimit } from "./overrun.js";
import { nameInto, selectorInto } from "./row-parts.js";
import { fromTemplate } from "./template.js";

/** One agent as a row of the table, with a cell for the desktop and for each MRD. */
export class AgentRow {
  element = null;
  rank = 0;
  isMore = false;
  #tools;
  #faces = new Map();
  #named;

  constructor(agent, tools) {
    this.agent = agent;
    this.#tools = tools;
  }

  /** By name, the desktop first; those that the filter lets through. */
  get cells() {
    const shown = [...this.agent.cells.values()].filter((cell) => cell.isShown);
    return shown.sort((a, b) => b.isDesktop - a.isDesktop || a.mrd.name.localeCompare(b.mrd.name));
  }

  get isShown() {
    return this.#some((cell) => cell.isShown);
  }

  get isOver() {
    return this.#some((cell) => cell.isShown && cell.isOver);
  }

  #some(holds) {
    for (const cell of this.agent.cells.values()) if (holds(cell)) return true;
    return false;
  }

  /** Since when the agent is in the state that lasts longest, signed-out ones left out. */
  get changedAt() {
    return this.#earliest((cell) => (cell.state === "LOGOUT" ? null : cell.changedAt));
  }

  get dueAt() {
    return this.#earliest((cell) => cell.dueAt);
  }

  #earliest(of) {
    let found = null;
    for (const cell of this.agent.cells.values()) {
      const at = cell.isShown ? of(cell) : null;
      if (at !== null && (found === null || at < found)) found = at;
    }
    return found;
  }

  get source() {
    return this.agent.id;
  }

  get mrd() {
    return { name: "" };
  }

  attach(now) {
    this.element = fromTemplate("agent-row-template");
    this.element.dataset.agent = this.agent.id;
    this.#faces.clear();
    this.#named = {};
    this.render(now);
    return this.element;
  }

  detach() {
    this.element = null;
    this.#faces.clear();
  }

  render(now) {
    if (!this.element) return;
    nameInto(this.element, this.agent, this.#named);
    this.#renderCells(now);
    this.renderSelection();
    this.renderTime(now);
  }

  #renderCells(now) {
    const list = this.element.querySelector(".cells");
    const cells = this.cells;
    const [before, after] = [[...this.#faces.keys()], cells];
    if (before.length !== after.length || before.some((cell, index) => cell !== after[index])) {
      this.#faces = new Map(cells.map((cell) => [cell, this.#faceOf(cell)]));
      list.replaceChildren(...[...this.#faces.values()].map(({ element }) => element));
    }
    for (const { face } of this.#faces.values()) face.render(now);
  }

  #faceOf(cell) {
    const known = this.#faces.get(cell);
    if (known) return known;
    const element = fromTemplate("cell-template");
    return { element, face: new Face(element, cell, this.#tools.meanings) };
  }

  renderTime(now) {
    for (const { face } of this.#faces.values()) face.renderTime(now);
    const { changedAt } = this;
    setText(this.element.querySelector(".col-time"), changedAt === null ? "–" : formatDuration(now - changedAt));
    const { level, text } = describeLimit({ dueAt: this.dueAt, warnAt: null }, now);
    setText(this.element.querySelector(".col-over"), text);
    if (this.element.dataset.limit !== level) this.element.dataset.limit = level;
  }

  renderMore() {}

  renderSelection() {
    const { selection } = this.#tools;
    const { name } = this.agent;
    selectorInto(this.element, selection.ofAgent(this.agent), name, selection);
    for (const [cell, { element }] of this.#faces) selectorInto(element, [cell], `${name}, ${cell.mrd.name}`, selection);
  }

  mark(cell) {
    this.#faces.get(cell)?.face.mark();
  }
}

function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
