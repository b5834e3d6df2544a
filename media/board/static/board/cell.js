import { limitOf } from "./overrun.js";
import { namesOf } from "./states.js";
import { wordsOf } from "./words.js";

/** The id by which the desktop stands among an agent's MRDs in the filter. */
export const DESKTOP = "desktop";

/** One agent in one MRD, or at the desktop: what the board knows of it. Moments in milliseconds. */
export class Cell {
  /** The position of the newest notification in this cell's data. */
  position = -1;
  /** What keeps the cell out of the board; see Matcher. */
  refusals = [];
  isOver = false;
  #meanings;

  /** `mrd` is {id, name}; null for the desktop. */
  constructor({ source, agent, mrd, meanings }) {
    this.#meanings = meanings;
    this.source = source;
    this.agent = agent;
    this.isDesktop = mrd === null;
    this.mrd = mrd ?? { id: DESKTOP, name: "Desktop" };
  }

  /** As in the ids of tests: row-1234-5001. */
  get testId() {
    return `row-${this.agent.id}-${this.mrd.id}`;
  }

  get isShown() {
    return this.refusals.length === 0;
  }

  get team() {
    return this.agent.team;
  }

  get mrdId() {
    return this.mrd.id;
  }

  get reasonId() {
    return this.reason?.id ?? "";
  }

  /** Take a state: {state, reason, changedAt, routable, by}. */
  take(found, position) {
    this.position = position;
    this.state = found.state;
    this.reason = found.reason;
    this.changedAt = found.changedAt;
    this.routable = found.routable ?? false;
    this.by = found.by ?? null;
    this.noteMeaning();
  }

  /** What its reason code means may have changed. */
  noteMeaning() {
    const { label, productive } = this.#meanings.of(this.reason);
    this.reasonLabel = label || this.reason?.label || "";
    this.isOnBreak = this.state === "NOT_READY" && this.reason !== null && productive === false;
    this.noteWords();
  }

  noteWords() {
    const { reason, reasonLabel } = this;
    const ofReason = reason ? wordsOf(reason.label) + (reasonLabel === reason.label ? "" : wordsOf(reasonLabel)) + wordsOf(reason.code) : "";
    this.words = this.agent.words + wordsOf(this.mrd.name) + wordsOf(this.mrd.id) + wordsOfState(this.state) + ofReason;
  }

  /** The cell as it was or will be in this state and reason, for the filter. */
  asOf({ state, reason }) {
    const { team, mrdId, words } = this;
    return { team, mrdId, state, reasonId: reason?.id ?? "", words: words + wordsOfState(state) + wordsOf(reason?.label) };
  }

  /** When the present state becomes too long, as of now. True if that it is over has changed. */
  noteLimit(longerThan, now) {
    const times = this.#meanings.timesOf(this.reason, this.team);
    this.limit = limitOf(this, times, longerThan);
    return this.noteTime(now);
  }

  noteTime(now) {
    const isOver = this.limit.dueAt !== null && now >= this.limit.dueAt;
    const hasChanged = isOver !== this.isOver;
    this.isOver = isOver;
    return hasChanged;
  }

  get dueAt() {
    return this.limit.dueAt;
  }
}

function wordsOfState(state) {
  return namesOf(state).map(wordsOf).join("");
}
