const ROWS = 30;
/** Rendered before it is scrolled into view. */
const MARGIN = "600px";
const FIRST_GUESS_PX = 37;

/**
 * The body of the table, of which only what is near the visible part has elements: rows come in blocks,
 * each a `<tbody>`, and a block that is far away is one empty row as high as its rows.
 */
export class Blocks {
  #table;
  #clock;
  #blocks = [];
  #rowHeight = FIRST_GUESS_PX;
  #blockOf = new WeakMap();
  #observer = new IntersectionObserver((entries) => this.#noteNearness(entries), {
    rootMargin: MARGIN,
    // That of the board's own scrolling; browsers that do not know it show a far block a moment later.
    scrollMargin: MARGIN,
  });

  constructor(table, clock) {
    this.#table = table;
    this.#clock = clock;
    table.addEventListener("focusin", ({ target }) => this.#fillAround(target.closest("tbody")));
  }

  /** The rows that have elements. */
  get rendered() {
    return this.#blocks.flatMap((block) => (block.isNear ? block.rows : []));
  }

  /** Show these rows in this order. */
  show(rows) {
    const focused = document.activeElement;
    this.#table.setAttribute("aria-rowcount", rows.length + 1);
    const count = Math.ceil(rows.length / ROWS);
    while (this.#blocks.length > count) this.#removeLast();
    while (this.#blocks.length < count) this.#append();
    const kept = new Set();
    this.#blocks.forEach((block, index) => {
      block.wanted = rows.slice(index * ROWS, (index + 1) * ROWS);
      if (block.isNear) block.wanted.forEach((row) => kept.add(row));
    });
    for (const block of this.#blocks) for (const row of block.rows) if (!kept.has(row)) detach(row);
    for (const block of this.#blocks) {
      block.rows = block.wanted;
      if (block.isNear) this.#fill(block);
      else this.#empty(block);
    }
    // A row that is moved loses the focus.
    if (focused !== document.activeElement && this.#table.contains(focused)) focused.focus({ preventScroll: true });
  }

  #append() {
    const element = document.createElement("tbody");
    element.setAttribute("role", "rowgroup");
    const block = { element, rows: [], wanted: [], spacer: makeSpacer(), height: null, index: this.#blocks.length };
    // Before the browser has said what is near: the first ones are.
    block.isNear = block.index < 2;
    this.#blocks.push(block);
    this.#blockOf.set(element, block);
    this.#table.append(element);
    this.#observer.observe(element);
  }

  #removeLast() {
    const block = this.#blocks.pop();
    block.rows.forEach(detach);
    this.#observer.unobserve(block.element);
    block.element.remove();
  }

  #fill(block) {
    block.spacer.remove();
    const { element, rows, index } = block;
    let next = element.firstElementChild;
    const now = this.#clock.now();
    rows.forEach((row, place) => {
      const rowElement = row.element ?? row.attach(now);
      const rowIndex = String(index * ROWS + place + 2);
      if (rowElement.ariaRowIndex !== rowIndex) rowElement.ariaRowIndex = rowIndex;
      if (rowElement === next) next = next.nextElementSibling;
      else element.insertBefore(rowElement, next);
    });
    while (next) {
      const after = next.nextElementSibling;
      next.remove();
      next = after;
    }
  }

  #empty(block) {
    block.rows.forEach(detach);
    const height = block.height ?? this.#rowHeight * block.rows.length;
    block.spacer.style.height = `${Math.round(height)}px`;
    if (block.element.firstElementChild !== block.spacer || block.element.childElementCount > 1) {
      block.element.replaceChildren(block.spacer);
    }
  }

  /**
   * The rows before and after those of the focus are there at once: the observer comes a frame later, and a
   * key that is held down would go past rows that have no elements yet, out of the table.
   */
  #fillAround(element) {
    const block = this.#blockOf.get(element);
    if (!block) return;
    for (const neighbour of [this.#blocks[block.index - 1], this.#blocks[block.index + 1]]) {
      if (!neighbour || neighbour.isNear) continue;
      neighbour.isNear = true;
      this.#fill(neighbour);
    }
  }

  #noteNearness(entries) {
    for (const { target, isIntersecting, boundingClientRect } of entries) {
      const block = this.#blockOf.get(target);
      if (!block || block.isNear === isIntersecting) continue;
      // What has the focus stays, as the next press of Tab goes on from there.
      if (!isIntersecting && target.contains(document.activeElement)) continue;
      if (!isIntersecting && boundingClientRect.height) this.#remember(block, boundingClientRect.height);
      block.isNear = isIntersecting;
      if (isIntersecting) this.#fill(block);
      else this.#empty(block);
    }
  }

  #remember(block, height) {
    block.height = block.rows.length === ROWS ? height : null;
    this.#rowHeight = height / block.rows.length;
  }

  /** The rows look different than before: their heights are not known any more. */
  forget() {
    for (const block of this.#blocks) block.height = null;
  }
}

function detach(row) {
  if (!row.element) return;
  row.element.remove();
  row.detach();
}

function makeSpacer() {
  const spacer = document.createElement("tr");
  spacer.className = "spacer";
  spacer.setAttribute("aria-hidden", "true");
  spacer.append(document.createElement("td"));
  return spacer;
}
