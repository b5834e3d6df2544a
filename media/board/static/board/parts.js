/**
 * The parts of the page, each of which hears of what the server sends. A part may have these methods:
 *
 * - `board(snapshot)`: what /board/ answers, at first and after each time that access has changed;
 * - `notification(n, isNew)`: each notification once, in order; see update.js for what it has. Those from
 *   before the page was opened are not new;
 * - `change(n)`: each notification that is newer than the last board. False asks for the board again;
 * - `state(name)`: connecting, live, reconnecting, reset or signed-out.
 */
export class Parts {
  #parts = [];

  add(part) {
    this.#parts.push(part);
    return part;
  }

  board(snapshot) {
    for (const part of this.#parts) part.board?.(snapshot);
  }

  notification(notification, isNew) {
    for (const part of this.#parts) part.notification?.(notification, isNew);
  }

  /** False if one of the parts does not know what the notification is about. */
  change(notification) {
    const answers = this.#parts.map((part) => part.change?.(notification));
    return !answers.includes(false);
  }

  state(name) {
    for (const part of this.#parts) part.state?.(name);
  }
}
