const REFRESH_DELAY_MS = 200;
const NOTHING = Object.freeze({});

/** What reason codes mean to the reader: labels in the browser's language, colours, limits. */
export class Meanings {
  #url;
  #onChange;
  #byId = {};
  #timer = 0;
  /** The numbers of the last question, and of the last answer: the answer to an earlier one may come later. */
  #asked = 0;
  #answered = 0;

  constructor(url, { onChange }) {
    this.#url = url;
    this.#onChange = onChange;
  }

  take(byId) {
    this.#answered = ++this.#asked;
    this.#byId = byId ?? {};
    this.#onChange();
  }

  /** All that is known of a reason: label, colour, description, productive, maximumMinutes, warningMinutes, ofRules. */
  of(reason) {
    return this.#byId[reason?.id] ?? NOTHING;
  }

  /** The times of a reason for agents of a team, by its name: a break rule goes before the reason's own. */
  timesOf(reason, team) {
    const { maximumMinutes, warningMinutes, ofRules } = this.of(reason);
    const { teams = NOTHING, others } = ofRules ?? NOTHING;
    // A team's own rule goes before the one for all as a whole, also where it has no time: null.
    const byRule = Object.hasOwn(teams, team) ? teams[team] : others;
    return { maximumMinutes: byRule === undefined ? maximumMinutes : byRule, warningMinutes };
  }

  /** Load them after a short delay; calls during the delay add nothing. */
  refresh() {
    this.#timer ||= setTimeout(() => this.#load(), REFRESH_DELAY_MS * (1 + Math.random()));
  }

  async #load() {
    this.#timer = 0;
    const turn = ++this.#asked;
    try {
      const response = await fetch(this.#url, { cache: "no-store", credentials: "same-origin" });
      const { reasonCodes } = response.ok ? await response.json() : NOTHING;
      if (reasonCodes && turn > this.#answered) this.take(reasonCodes);
    } catch {
      // Without a connection: the board, which is loaded when there is one, has them, too.
    }
  }
}
