import { termsOf } from "./words.js";

/**
 * The choices by which rows are shown. What is chosen in one list is alternatives ("Chat or Email");
 * an empty list lets everything through.
 */
export const FACETS = ["teams", "mrds", "states", "reasons"];

export const EVERYTHING = Object.freeze({
  text: "",
  teams: [],
  mrds: [],
  states: [],
  reasons: [],
  /** Whether agents who are signed out are hidden. */
  hidesSignedOut: false,
  /** Minutes in one state after which a row is over the limit; null for none. */
  longerThan: null,
  /** Whether only rows over the limit are shown. */
  onlyOver: false,
});

const VALUE_OF = {
  teams: (subject) => subject.team,
  mrds: (subject) => subject.mrdId,
  states: (subject) => subject.state,
  reasons: (subject) => subject.reasonId,
};

/** Decides what a filter lets through. A subject has words, team, mrdId, state and reasonId. */
export class Matcher {
  #terms;
  #chosen;
  #filter;

  constructor(filter, states) {
    this.#filter = filter;
    this.#terms = termsOf(filter.text, states);
    this.#chosen = FACETS.map((facet) => [facet, filter[facet].length ? new Set(filter[facet]) : null]);
  }

  /** The names of what keeps the subject out; empty if it is shown. */
  refusals(subject) {
    const refusals = this.#chosen.filter(([facet, chosen]) => chosen && !chosen.has(VALUE_OF[facet](subject)));
    const names = refusals.map(([facet]) => facet);
    if (!this.matchesText(subject)) names.push("text");
    if (this.#filter.hidesSignedOut && subject.state === "LOGOUT") names.push("signedOut");
    if (this.#filter.onlyOver && !subject.isOver) names.push("onlyOver");
    return names;
  }

  matchesText({ words }) {
    return this.#terms.every((term) => words.includes(term));
  }

  /** Whether a notification about this subject is shown: news of a sign-out is, always. */
  tells(subject) {
    return this.refusals(subject).every((name) => name === "signedOut" || name === "onlyOver");
  }

  /** Whether only some agents are chosen: news that are about no agent are left out then. */
  get isAboutAgents() {
    return this.#chosen.some(([, chosen]) => chosen);
  }
}

export function isEverything(filter) {
  return FACETS.every((facet) => !filter[facet].length) && !filter.text.trim() && !filter.hidesSignedOut && !filter.onlyOver;
}
