const REMEMBERED_POSITIONS = 5000;

/**
 * The positions of the notifications that were received. The highest one alone is not enough: two
 * notifications that were sent at the same moment may arrive in the other order.
 */
export class Positions {
  /** Positions up to this one are refused without looking at `#seen`. */
  #refusedUpTo = 0;
  #seen = new Set();
  /** The position to subscribe after: everything up to it was received or is not wanted. */
  last = 0;

  startAt(position) {
    this.#refusedUpTo = this.last = position;
    this.#seen.clear();
  }

  reach(position) {
    this.last = Math.max(this.last, position);
  }

  /** Note a received position. False if it was received before. */
  admit(position) {
    if (position <= this.#refusedUpTo || this.#seen.has(position)) return false;
    this.#seen.add(position);
    this.reach(position);
    if (this.#seen.size > REMEMBERED_POSITIONS) this.#forget();
    return true;
  }

  #forget() {
    const [oldest] = this.#seen;
    this.#seen.delete(oldest);
    this.#refusedUpTo = Math.max(this.#refusedUpTo, oldest);
  }
}
