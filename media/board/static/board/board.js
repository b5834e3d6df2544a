import { readAddress, writeAddress } from "./address.js";
import { AgentRow } from "./agent-row.js";
import { Agents } from "./agents.js";
import { batched } from "./batch.js";
import { Blocks } from "./blocks.js";
import { Controls } from "./controls.js";
import { Matcher } from "./filter.js";
import { Heading } from "./heading.js";
import { MediaRow } from "./media-row.js";
import { Selection } from "./selection.js";
import { compareByAgent, Sorting } from "./sorting.js";
import { names } from "./states.js";
import { tally } from "./tally.js";
import { wordsOf } from "./words.js";

/** The table of agents, with what is chosen of it. The address of the page says what that is. */
export class Board {
  agents;
  #root;
  #clock;
  #announce;
  #onFilter;
  #tools;
  #view = readAddress(location.search);
  #matcher = new Matcher(this.#view.filter, names());
  /** By source in rows of MRDs, by id in rows of agents. */
  #rows = new Map();
  #order = [];
  #shown = [];
  #changed = new Set();
  #marked = new Set();
  #stale = { rows: true, order: true, filter: true, names: true };
  #isLoaded = false;
  #isFrozen = false;
  #controls;
  #sorting;
  #blocks;
  #heading;
  #announceTimer = 0;
  #refresh = batched(() => this.#flush());

  /** `onFilter()` is called when another filter is chosen. */
  constructor(root, { clock, announce, meanings, onFilter = () => {} }) {
    this.#root = root;
    this.#clock = clock;
    this.#announce = announce;
    this.#onFilter = onFilter;
    this.agents = new Agents(meanings, {
      onCell: (cell, { isNews = false } = {}) => this.#cellChanged(cell, isNews),
      onStructure: () => this.#isStale("rows", "order", "filter", "names"),
    });
    this.#tools = { meanings, selection: new Selection(root, () => this.#shownCells) };
    this.#blocks = new Blocks(this.#find("table"), clock);
    this.#heading = new Heading(root);
    this.#sorting = new Sorting(this.#find("thead"), () => this.#viewChanged("order"));
    this.#controls = new Controls(root, {
      agents: this.agents,
      meanings,
      onFilter: () => this.#filterChanged(),
      onRows: () => this.#viewChanged("rows", "order"),
    });
    this.#controls.show(this.#view);
    this.#sorting.choose(this.#view.sort, this.#view.descending);
    this.#showRows();
    root.addEventListener("selection", () => this.#blocks.rendered.forEach((row) => row.renderSelection()));
    clock.everySecond(() => this.#tick());
  }

  #find(selector) {
    return this.#root.querySelector(selector);
  }

  /** What the viewer has chosen to act on: {source, agentId, mrdId} each, mrdId null for the desktop. */
  get selected() {
    return this.#tools.selection.selected;
  }

  get selection() {
    return this.#tools.selection;
  }

  get isWall() {
    return this.#view.isWall;
  }

  // --- Contents -----------------------------------------------------------------------------------

  /** Make the board equal to a snapshot. */
  replace(snapshot) {
    this.agents.replace(snapshot);
    this.#isLoaded = true;
  }

  /** Apply a notification. False when the board does not know its agent and has to be loaded again. */
  change(notification) {
    return this.agents.change(notification);
  }

  /** Reason codes have other labels, colours or limits than before. */
  meaningsChanged() {
    for (const cell of this.agents.cells) if (cell.reason) cell.noteMeaning();
    this.#isStale("order", "filter", "names");
  }

  #cellChanged(cell, isNews) {
    this.#changed.add(cell);
    if (isNews) this.#marked.add(cell);
    if (this.#sorting.isByChangingColumn) this.#stale.order = true;
    this.#refresh();
  }

  #isStale(...parts) {
    for (const part of parts) this.#stale[part] = true;
    this.#refresh();
  }

  // --- The view -----------------------------------------------------------------------------------

  /** Whether the stream shows this notification. */
  tells(notification) {
    const { agentId, source, media, user, reasonCode, service } = notification;
    if (service) return true;
    if (reasonCode) return !this.#matcher.isAboutAgents && this.#matcher.matchesText(asSubject(reasonCode));
    const cell = this.agents.cellOf(source);
    const found = media ?? user;
    if (!cell) return !this.#matcher.isAboutAgents && this.#matcher.matchesText(asSubject({ label: this.agents.nameOf(agentId), code: agentId }));
    return this.#matcher.tells(found ? cell.asOf(found) : cell);
  }

  #filterChanged() {
    this.#viewChanged("filter");
    this.#onFilter();
    clearTimeout(this.#announceTimer);
    this.#announceTimer = setTimeout(() => this.#announce(this.#find("#board-count").textContent), 800);
  }

  #viewChanged(...parts) {
    const { filter, rows } = this.#controls;
    const { key: sort, descending } = this.#sorting;
    this.#view = { ...this.#view, filter, rows, sort, descending };
    this.#matcher = new Matcher(filter, names());
    history.replaceState(null, "", `${location.pathname}${writeAddress(this.#view)}`);
    this.#showRows();
    this.#isStale(...parts);
  }

  #showRows() {
    this.#root.dataset.rows = this.#view.rows;
    const wall = this.#find("#wall");
    if (wall) wall.href = `${location.pathname}${writeAddress({ ...this.#view, isWall: true })}`;
    for (const cell of this.#root.querySelectorAll("th[data-of]")) cell.hidden = cell.dataset.of !== this.#view.rows;
  }

  get #shownCells() {
    if (this.#view.rows === "mrds") return this.#shown.map(({ cell }) => cell);
    return this.#shown.flatMap(({ agent }) => this.#tools.selection.ofAgent(agent));
  }

  // --- Rendering ------------------------------------------------------------------------------------

  #flush() {
    const now = this.#clock.now();
    const changed = this.#stale.filter ? [...this.agents.cells] : [...this.#changed];
    for (const cell of changed) this.#judge(cell, now);
    if (this.#stale.rows) this.#makeRows();
    if (this.#stale.order) this.#order.sort(this.#sorting.compare);
    this.#arrange();
    const rows = new Set(changed.map((cell) => this.#rowOf(cell)));
    for (const row of rows) row?.render(now);
    for (const cell of this.#marked) this.#rowOf(cell)?.mark(cell);
    if (this.#stale.names) this.#controls.rename();
    this.#showCounts();
    this.#changed.clear();
    this.#marked.clear();
    this.#stale = { rows: false, order: false, filter: false, names: false };
  }

  #judge(cell, now) {
    cell.noteLimit(this.#view.filter.longerThan, now);
    cell.refusals = this.#matcher.refusals(cell);
  }

  #rowOf(cell) {
    return this.#rows.get(this.#view.rows === "mrds" ? cell.source : cell.agent.id);
  }

  #makeRows() {
    const before = this.#rows;
    this.#rows = new Map();
    const isByMrd = this.#view.rows === "mrds";
    const things = isByMrd ? [...this.agents.cells].filter(({ isDesktop }) => !isDesktop) : this.agents.all;
    for (const thing of things) {
      const key = isByMrd ? thing.source : thing.id;
      const known = before.get(key);
      const isKnown = known && (known.cell ?? known.agent) === thing;
      this.#rows.set(key, isKnown ? known : isByMrd ? new MediaRow(thing, this.#tools) : new AgentRow(thing, this.#tools));
    }
    this.#order = [...this.#rows.values()].sort(compareByAgent);
    this.#order.forEach((row, rank) => (row.rank = rank));
    this.#stale.order = true;
    this.#order.sort(this.#sorting.compare);
  }

  #arrange() {
    const shown = this.#order.filter((row) => row.isShown);
    let previous = null;
    for (const row of shown) {
      row.isMore = this.#sorting.isByAgent && previous === row.agent.id;
      previous = row.agent.id;
    }
    const isSame = shown.length === this.#shown.length && shown.every((row, index) => row === this.#shown[index]);
    if (!isSame || this.#stale.order) {
      this.#shown = shown;
      this.#blocks.show(shown);
      for (const row of this.#blocks.rendered) row.renderMore();
    } else if (!this.selection.size) return;
    // Also of an agent whose row stays a cell may be out of sight now.
    this.selection.prune();
  }

  #showCounts() {
    // Rows of MRDs leave the desktops out.
    const isByMrd = this.#view.rows === "mrds";
    const cells = [...this.agents.cells].filter(({ isDesktop }) => !isByMrd || !isDesktop);
    this.#controls.showCounts(tally(cells), this.#countOver(cells));
    const { filter, rows } = this.#view;
    this.#heading.show({ shown: this.#shown.length, total: this.#rows.size, isLoaded: this.#isLoaded, filter, rows });
  }

  /** Rows over the limit that everything else in the filter lets through. */
  #countOver(cells) {
    const over = cells.filter(({ isOver, refusals }) => isOver && !refusals.length);
    return new Set(over.map((cell) => this.#rowOf(cell))).size;
  }

  // --- Time ---------------------------------------------------------------------------------------

  /** Stop the times in state: without a connection they may be wrong. */
  freeze() {
    this.#isFrozen = true;
  }

  #tick() {
    if (this.#isFrozen || !this.#isLoaded) return;
    const now = this.#clock.now();
    let isOverrun = false;
    for (const cell of this.agents.cells) {
      if (!cell.limit || !cell.noteTime(now)) continue;
      this.#changed.add(cell);
      isOverrun = true;
    }
    for (const row of this.#blocks.rendered) row.renderTime(now);
    if (isOverrun) this.#refresh();
  }
}

/** A reason code, or an agent without a row, as something that the filter can look at. */
function asSubject({ label, code }) {
  return { words: wordsOf(label) + wordsOf(code) };
}
