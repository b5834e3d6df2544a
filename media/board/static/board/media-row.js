import { Face } from "./face.js";
import { nameInto, selectorInto } from "./row-parts.js";
import { fromTemplate } from "./template.js";

/** One agent in one MRD, as a row of the table. It has an element only while it is near the view. */
export class MediaRow {
  element = null;
  /** Its place in the order by agent, and whether the row above it is about the same agent. */
  rank = 0;
  isMore = false;
  #tools;
  #face;
  #named;

  /** `tools`: {meanings, selection}. */
  constructor(cell, tools) {
    this.cell = cell;
    this.#tools = tools;
  }

  get agent() {
    return this.cell.agent;
  }

  get mrd() {
    return this.cell.mrd;
  }

  get state() {
    return this.cell.state;
  }

  get reason() {
    return this.cell.reason;
  }

  get reasonLabel() {
    return this.cell.reasonLabel;
  }

  get changedAt() {
    return this.cell.changedAt;
  }

  get dueAt() {
    return this.cell.dueAt;
  }

  get source() {
    return this.cell.source;
  }

  get isShown() {
    return this.cell.isShown;
  }

  get isOver() {
    return this.cell.isOver;
  }

  attach(now) {
    this.element = fromTemplate("row-template");
    this.#face = new Face(this.element, this.cell, this.#tools.meanings);
    this.#named = {};
    this.render(now);
    return this.element;
  }

  detach() {
    this.element = this.#face = null;
  }

  render(now) {
    if (!this.element) return;
    nameInto(this.element, this.agent, this.#named);
    this.#face.render(now);
    this.renderMore();
    this.renderSelection();
  }

  renderTime(now) {
    this.#face.renderTime(now);
  }

  renderMore() {
    this.element.classList.toggle("more", this.isMore);
  }

  renderSelection() {
    selectorInto(this.element, [this.cell], `${this.agent.name}, ${this.mrd.name}`, this.#tools.selection);
  }

  mark() {
    this.#face?.mark();
  }
}
