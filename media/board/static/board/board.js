import { batched } from "./batch.js";
import { Counts } from "./counts.js";
import { Row } from "./row.js";
import { Sorting } from "./sorting.js";

/** The time in a row outside the visible part is updated only once in so many seconds. */
const FAR_ROW_SECONDS = 10;

/** The table of agents in MRDs, with its filter and its counts. */
export class Board {
  #root;
  #clock;
  #announce;
  #meanings;
  #rows = new Map();
  #order = [];
  #names = new Map();
  #terms = [];
  #toRender = new Set();
  #isOrderStale = false;
  #isFilterStale = false;
  #isLoaded = false;
  #isFrozen = false;
  #second = 0;
  #counts;
  #sorting;
  #announceTimer = 0;
  #refresh = batched(() => this.#flush());
  #nearness = new IntersectionObserver((entries) => this.#noteNearness(entries), { rootMargin: "200px" });
  #rowOf = new WeakMap();

  constructor(root, { clock, announce, meanings }) {
    this.#root = root;
    this.#clock = clock;
    this.#announce = announce;
    this.#meanings = meanings;
    this.#counts = new Counts(this.#find("#counts"), () => this.#filterChanged());
    this.#sorting = new Sorting(this.#find("thead"), () => this.#orderChanged());
    this.#find("#filter").addEventListener("input", () => this.#filterChanged());
    this.#find("#filter").addEventListener("keydown", (event) => event.key === "Escape" && this.#clearFilter());
    this.#find("#clear-filter").addEventListener("click", () => this.#clearFilter());
    root.addEventListener("animationend", ({ target }) => delete target.dataset.changed);
    clock.everySecond(() => this.#tick());
  }

  #find(selector) {
    return this.#root.querySelector(selector);
  }

  /** An agent's name, also after the agent has left the board; empty when it was never known. */
  nameOf(agentId) {
    return this.#names.get(agentId) ?? "";
  }

  mrdNameOf(source) {
    return this.#rows.get(source)?.mrd.name ?? "";
  }

  get anySource() {
    return this.#rows.keys().next().value ?? "";
  }

  // --- Contents -----------------------------------------------------------------------------------

  /** Make the board equal to a snapshot, touching only what differs. */
  replace({ media, position }) {
    const sources = new Set(media.map(({ source }) => source));
    for (const source of this.#rows.keys()) if (!sources.has(source)) this.#remove(source);
    for (const entry of media) this.#takeEntry(entry, position);
    this.#isLoaded = true;
    this.#isOrderStale = true;
    this.#refresh();
  }

  #takeEntry(entry, position) {
    this.#names.set(entry.user.id, entry.user.name);
    const known = this.#rows.get(entry.source);
    if (known) known.takeEntry(entry, position);
    const row = known ?? this.#add(new Row(entry, position, this.#meanings));
    this.#toRender.add(row);
  }

  #add(row) {
    this.#rows.set(row.source, row);
    this.#rowOf.set(row.element, row);
    this.#nearness.observe(row.element);
    return row;
  }

  #remove(source) {
    const row = this.#rows.get(source);
    if (!row) return;
    this.#rows.delete(source);
    this.#toRender.delete(row);
    this.#nearness.unobserve(row.element);
    row.element.remove();
    this.#isOrderStale = true;
    this.#refresh();
  }

  /** Apply a notification. False when the board has no row for it and has to be loaded again. */
  change({ source, event, agentId, media, user, errors, position }) {
    if (errors.length) return true;
    if (event === "DELETE") {
      this.#remove(source);
      return true;
    }
    if (user) this.#changeAgent({ ...user, id: agentId }, position);
    if (!media) return true;
    const row = this.#rows.get(source);
    if (!row) return false;
    if (position > row.position) this.#changeRow(row, media, position);
    return true;
  }

  #changeRow(row, media, position) {
    row.takeMedia(media, position);
    row.mark();
    this.#toRender.add(row);
    this.#isOrderStale ||= this.#sorting.isByChangingColumn;
    this.#refresh();
  }

  /** The agent has another name, or a team of another name: in each row of the agent. */
  #changeAgent(agent, position) {
    for (const row of this.#rows.values()) {
      if (row.agent.id !== agent.id || position <= row.agentPosition) continue;
      row.takeAgent(agent, position);
      this.#toRender.add(row);
    }
    this.#names.set(agent.id, agent.name);
    this.#isOrderStale = true;
    this.#isFilterStale = true;
    this.#refresh();
  }

  /** Reason codes have other labels or colours than before. */
  meaningsChanged() {
    for (const row of this.#rows.values()) {
      if (!row.reason) continue;
      row.noteMeaning();
      this.#toRender.add(row);
    }
    this.#isOrderStale ||= this.#sorting.isByChangingColumn;
    this.#isFilterStale = true;
    this.#refresh();
  }

  // --- The filter ---------------------------------------------------------------------------------

  #filterChanged() {
    this.#terms = this.#find("#filter").value.toLowerCase().split(/\s+/).filter(Boolean);
    this.#isFilterStale = true;
    this.#refresh();
    clearTimeout(this.#announceTimer);
    this.#announceTimer = setTimeout(() => this.#announce(this.#find("#board-count").textContent), 800);
  }

  #clearFilter() {
    this.#find("#filter").value = "";
    this.#counts.clear();
    this.#filterChanged();
    this.#find("#filter").focus();
  }

  #orderChanged() {
    this.#isOrderStale = true;
    this.#refresh();
  }

  // --- Rendering, at most once per frame ------------------------------------------------------------

  #flush() {
    const changed = [...this.#toRender];
    this.#toRender.clear();
    const now = this.#clock.now();
    changed.forEach((row) => row.render(now));
    this.#filter(this.#isFilterStale ? this.#rows.values() : changed);
    if (this.#isOrderStale) this.#arrange(changed);
    this.#group();
    this.#showCounts();
    this.#isFilterStale = this.#isOrderStale = false;
  }

  #filter(rows) {
    for (const row of rows) {
      row.matchesText = row.matches(this.#terms);
      const isHidden = !row.matchesText || !this.#counts.allows(row.state);
      if (row.element.hidden !== isHidden) row.element.hidden = isHidden;
    }
  }

  /** Put the rows in order. Those that changed are taken out first: the others then seldom move. */
  #arrange(changed) {
    const body = this.#find("#rows");
    this.#order = [...this.#rows.values()].sort(this.#sorting.compare);
    if (!body.hasChildNodes()) {
      body.append(elementsOf(this.#order));
      return;
    }
    if (this.#sorting.isByChangingColumn) changed.forEach((row) => row.element.remove());
    let next = body.firstElementChild;
    for (const { element } of this.#order) {
      if (element === next) next = next.nextElementSibling;
      else body.insertBefore(element, next);
    }
  }

  /** Consecutive rows of one agent show the name in the first of them only. */
  #group() {
    let previous = null;
    for (const row of this.#order) {
      if (row.element.hidden) continue;
      const isMore = this.#sorting.isByAgent && previous === row.agent.id;
      if (row.element.classList.contains("more") !== isMore) row.element.classList.toggle("more", isMore);
      previous = row.agent.id;
    }
  }

  #showCounts() {
    const counts = new Map();
    let shown = 0;
    for (const { state, matchesText, element } of this.#rows.values()) {
      if (matchesText) counts.set(state, (counts.get(state) ?? 0) + 1);
      if (!element.hidden) shown += 1;
    }
    this.#counts.show(counts);
    this.#showEmptiness(shown, this.#rows.size);
  }

  #showEmptiness(shown, total) {
    const word = total === 1 ? "row" : "rows";
    setText(this.#find("#board-count"), shown === total ? `${total.toLocaleString("en-GB")} ${word}` : `${shown.toLocaleString("en-GB")} of ${total.toLocaleString("en-GB")} ${word}`);
    this.#find("#board-loading").hidden = this.#isLoaded;
    this.#find("#board-empty").hidden = !this.#isLoaded || total > 0;
    this.#find("#board-no-match").hidden = total === 0 || shown > 0;
    this.#find("table").hidden = total === 0;
    if (total > 0 && shown === 0) setText(this.#find("#no-match-text"), this.#noMatchText());
  }

  #noMatchText() {
    const text = this.#find("#filter").value.trim();
    const states = this.#counts.isChosen ? " in the chosen states" : "";
    return text ? `Nothing${states} matches “${text}”.` : `No agent is${states}.`;
  }

  // --- Time in state ------------------------------------------------------------------------------

  /** Stop the times in state: without a connection they may be wrong. */
  freeze() {
    this.#isFrozen = true;
  }

  #tick() {
    if (this.#isFrozen) return;
    const now = this.#clock.now();
    this.#second = (this.#second + 1) % FAR_ROW_SECONDS;
    this.#order.forEach((row, index) => {
      if (row.isNear || index % FAR_ROW_SECONDS === this.#second) row.renderTime(now);
    });
  }

  #noteNearness(entries) {
    const now = this.#clock.now();
    for (const { target, isIntersecting } of entries) {
      const row = this.#rowOf.get(target);
      row.isNear = isIntersecting;
      if (isIntersecting && !this.#isFrozen) row.renderTime(now);
    }
  }
}

function elementsOf(rows) {
  const fragment = document.createDocumentFragment();
  fragment.append(...rows.map(({ element }) => element));
  return fragment;
}

function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
