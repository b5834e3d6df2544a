import { formatDateAndTime, formatDuration } from "./clock.js";
import { readMedia } from "./update.js";
import { fromTemplate } from "./template.js";

/** One agent in one MRD: the data, and the table row that shows it. */
export class Row {
  /** The position of the newest notification in this row's data about the Media, and the agent. */
  position = -1;
  agentPosition = -1;
  /** Whether the row is near the visible part of the board. */
  isNear = false;
  matchesText = true;
  #parts;
  #shown = {};
  #searchText = "";
  #isMarkedOdd = false;

  #meanings;

  constructor(entry, position, meanings) {
    this.#meanings = meanings;
    this.source = entry.source;
    this.element = fromTemplate("row-template");
    this.element.dataset.source = entry.source;
    this.#parts = findParts(this.element);
    this.takeEntry(entry, position);
  }

  takeEntry({ user, mrd, media }, position) {
    this.mrd = { id: mrd.id, name: mrd.name || mrd.id };
    this.takeAgent(user, position);
    this.takeMedia(readMedia(media), position);
  }

  takeAgent({ id, name, team }, position) {
    this.agentPosition = position;
    this.agent = { id, name: name || id, team: team ?? "" };
    this.#noteTexts();
  }

  takeMedia(media, position) {
    this.position = position;
    this.state = media.state;
    this.reason = media.reason;
    this.changedAt = media.changedAt;
    if (media.name) this.mrd.name = media.name;
    this.noteMeaning();
  }

  /** What its reason code means may have changed. */
  noteMeaning() {
    this.reasonLabel = this.#meanings.labelOf(this.reason);
    this.#noteTexts();
  }

  #noteTexts() {
    this.#searchText = [this.agent.name, this.agent.id, this.agent.team, this.mrd.name, this.mrd.id, this.state, this.reason?.label, this.reasonLabel]
      .join("\n")
      .toLowerCase();
  }

  /** Whether each of the terms, in lower case, occurs in one of the texts of the row. */
  matches(terms) {
    return terms.every((term) => this.#searchText.includes(term));
  }

  render(now) {
    this.#write("agent", this.agent.name);
    this.#write("agentId", this.agent.id === this.agent.name ? "" : this.agent.id);
    this.#write("team", this.agent.team || "–");
    this.#write("mrd", this.mrd.name);
    this.#write("state", this.state);
    this.#parts.state.dataset.state = this.state;
    this.#write("reason", this.reasonLabel);
    this.#write("code", this.reason?.code ? `(${this.reason.code})` : "");
    this.#renderMeaning();
    this.#renderSince();
    this.renderTime(now);
  }

  #renderMeaning() {
    const { swatch, reason } = this.#parts;
    const colour = this.#meanings.colourOf(this.reason);
    if (this.#shown.colour !== colour) {
      this.#shown.colour = colour;
      swatch.hidden = !colour;
      swatch.style.backgroundColor = colour;
    }
    const description = this.#meanings.descriptionOf(this.reason);
    if (reason.title !== description) reason.title = description;
  }

  #renderSince() {
    if (this.#shown.since === this.changedAt) return;
    this.#shown.since = this.changedAt;
    const { time } = this.#parts;
    time.dateTime = this.changedAt === null ? "" : new Date(this.changedAt).toISOString();
    time.title = this.changedAt === null ? "Never changed" : `Since ${formatDateAndTime(this.changedAt)}`;
  }

  renderTime(now) {
    this.#write("time", this.changedAt === null ? "–" : formatDuration(now - this.changedAt));
  }

  #write(part, text) {
    if (this.#shown[part] === text) return;
    this.#shown[part] = text;
    this.#parts[part].textContent = text;
  }

  /** Highlight for a moment. The animation has two names, since a change of name restarts it. */
  mark() {
    this.#isMarkedOdd = !this.#isMarkedOdd;
    this.element.dataset.changed = this.#isMarkedOdd ? "odd" : "even";
  }
}

function findParts(element) {
  const find = (selector) => element.querySelector(selector);
  return {
    agent: find("[data-field=agent] .name"),
    agentId: find("[data-field=agent] .id"),
    team: find("[data-field=team]"),
    mrd: find("[data-field=mrd]"),
    state: find(".badge"),
    swatch: find(".swatch"),
    reason: find(".label"),
    code: find(".code"),
    time: find("time"),
  };
}
