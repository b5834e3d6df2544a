/**
 * A request that was sent, until its outcome is known.
 *
 * Finesse's notification of a success does not name the request, only that of an error does: so a
 * success is known by what it leads to.
 */
export class Pending {
  #source;
  #requestId;
  #requested;
  #reasonId;

  /** @param {{source: string, requestId: string, requested: string, reasonId?: string}} sent */
  constructor({ source, requestId, requested, reasonId = "" }) {
    this.#source = source;
    this.#requestId = requestId;
    this.#requested = requested;
    this.#reasonId = reasonId;
  }

  get requestId() {
    return this.#requestId;
  }

  get requested() {
    return this.#requested;
  }

  /**
   * @param {{source: string, requestId: string, errors: {constant: string, type: string}[]}} notification
   * @param {?object} subject what the notification shows
   * @returns {?{isDone: boolean, error?: {message: string, type: string}}} null: it is about something else
   */
  outcomeIn(notification, subject) {
    if (notification.source !== this.#source) return null;
    const isNamed = notification.requestId === this.#requestId;
    const [error] = notification.errors;
    if (error) return isNamed ? { isDone: false, error: { message: error.constant, type: error.type } } : null;
    if (!subject) return null;
    return isNamed || (!notification.requestId && this.isReachedIn(subject)) ? { isDone: true } : null;
  }

  isReachedIn({ state, routable, reason }) {
    switch (this.#requested) {
      case "ROUTABLE":
        return routable;
      case "NOT_ROUTABLE":
        return !routable;
      case "LOGIN":
        return state !== "LOGOUT";
      case "ACTIVE":
        return state === "READY" || state === "NOT_READY";
      case "NOT_READY":
        return state === "NOT_READY" && (reason?.id ?? "") === this.#reasonId;
      default:
        return state === this.#requested;
    }
  }
}
