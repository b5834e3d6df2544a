/**
 * Which cells the viewer has chosen to act on. Only those are chosen that are shown and on which the
 * viewer may act: nobody should change what is out of sight.
 *
 * Each change is told by the event `selection` on the root, whose `detail` is `selected`.
 */
export class Selection {
  #root;
  #all;
  #shownCells;
  #chosen = new Set();

  /** `shownCells()` returns the cells that stand on the board now, seen or not. */
  constructor(root, shownCells) {
    this.#root = root;
    this.#shownCells = shownCells;
    this.#all = root.querySelector("#select-all");
    this.#all.addEventListener("change", () => this.#chooseAll(this.#all.checked));
    root.addEventListener("change", ({ target }) => target.cells && this.#choose(target.cells, target.checked));
  }

  mayChoose(cell) {
    return cell.agent.mayAct;
  }

  has(cell) {
    return this.#chosen.has(cell);
  }

  /** The cells that an agent's own check box stands for: all MRDs shown, and a desktop in use. */
  ofAgent(agent) {
    return [...agent.cells.values()].filter((cell) => cell.isShown && (!cell.isDesktop || cell.state !== "LOGOUT"));
  }

  /** Of each chosen one {source, agentId, mrdId}; mrdId is null for the desktop. */
  get selected() {
    return [...this.#chosen].map(({ source, agent, mrd, isDesktop }) => ({
      source,
      agentId: agent.id,
      mrdId: isDesktop ? null : mrd.id,
    }));
  }

  get size() {
    return this.#chosen.size;
  }

  clear() {
    this.#choose([...this.#chosen], false);
  }

  /** Choose the cells that are shown and have these sources, and no others. */
  choose(sources) {
    const wanted = new Set(sources);
    this.#chosen = new Set(this.#choosable().filter(({ source }) => wanted.has(source)));
    this.#changed();
  }

  #choose(cells, isOn) {
    for (const cell of cells) {
      if (isOn && this.mayChoose(cell)) this.#chosen.add(cell);
      else this.#chosen.delete(cell);
    }
    this.#changed();
  }

  #chooseAll(isOn) {
    this.#chosen = new Set(isOn ? this.#choosable() : []);
    this.#changed();
  }

  #choosable() {
    return this.#shownCells().filter((cell) => this.mayChoose(cell));
  }

  /** Other cells are shown than before: those that are not any more are not chosen, either. */
  prune() {
    const choosable = this.#choosable();
    this.#root.classList.toggle("selectable", choosable.length > 0);
    const before = this.#chosen.size;
    if (before) {
      const known = new Set(choosable);
      for (const cell of this.#chosen) if (!known.has(cell)) this.#chosen.delete(cell);
    }
    if (this.#chosen.size !== before) this.#changed();
    else this.#showAll(choosable.length);
  }

  #changed() {
    this.#showAll(this.#choosable().length);
    this.#root.dispatchEvent(new CustomEvent("selection", { detail: this.selected }));
  }

  #showAll(choosable) {
    this.#all.disabled = choosable === 0;
    this.#all.checked = choosable > 0 && this.#chosen.size === choosable;
    this.#all.indeterminate = this.#chosen.size > 0 && this.#chosen.size < choosable;
  }
}
