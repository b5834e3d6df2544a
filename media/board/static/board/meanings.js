const REFRESH_DELAY_MS = 200;

/** What reason codes mean to the reader: labels in the browser's language, and colours. */
export class Meanings {
  #url;
  #onChange;
  #byId = {};
  #timer = 0;

  constructor(url, { onChange }) {
    this.#url = url;
    this.#onChange = onChange;
  }

  take(byId) {
    this.#byId = byId ?? {};
    this.#onChange();
  }

  labelOf(reason) {
    return this.#of(reason).label ?? reason?.label ?? "";
  }

  /** As in #1b6e53; empty for none. */
  colourOf(reason) {
    return this.#of(reason).colour ?? "";
  }

  descriptionOf(reason) {
    return this.#of(reason).description ?? "";
  }

  #of(reason) {
    return this.#byId[reason?.id] ?? {};
  }

  /** Load them after a short delay; calls during the delay add nothing. */
  refresh() {
    this.#timer ||= setTimeout(() => this.#load(), REFRESH_DELAY_MS * (1 + Math.random()));
  }

  async #load() {
    this.#timer = 0;
    try {
      const response = await fetch(this.#url, { cache: "no-store", credentials: "same-origin" });
      if (response.ok) this.take((await response.json()).reasonCodes);
    } catch {
      // Without a connection: the board, which is loaded when there is one, has them, too.
    }
  }
}
