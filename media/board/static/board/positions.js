const REMEMBERED = 5000;

/**
 * Which notifications were received. More than a high-water mark, because two that were sent
 * at the same moment may arrive the other way round.
 */
export class Positions {
  #floor = 0;
  #seen = new Set();
  /** What to subscribe after: everything up to here was received or is not wanted. */
  last = 0;

  startAt(position) {
    this.#floor = this.last = position;
    this.#seen.clear();
  }

  reach(position) {
    this.last = Math.max(this.last, position);
  }

  /** False for a position that was received before. */
  admit(position) {
    if (position <= this.#floor || this.#seen.has(position)) return false;
    this.#seen.add(position);
    this.reach(position);
    if (this.#seen.size > REMEMBERED) this.#forget();
    return true;
  }

  #forget() {
    const [oldest] = this.#seen;
    this.#seen.delete(oldest);
    this.#floor = Math.max(this.#floor, oldest);
  }
}
