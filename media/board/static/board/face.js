import { formatDateAndTime, formatDuration } from "./clock.js";
import { describeOrigin } from "./origin.js";
import { describeLimit } from "./overrun.js";
import { wordOf } from "./states.js";

const MARKED_MS = 2500;

/** Shows a cell in an element: the row of an MRD, or a part of an agent's row. Writes what differs. */
export class Face {
  #cell;
  #meanings;
  #element;
  #parts;
  #shown = {};
  #markTimer = 0;

  constructor(element, cell, meanings) {
    this.#element = element;
    this.#cell = cell;
    this.#meanings = meanings;
    this.#parts = findParts(element);
    element.dataset.source = cell.source;
    element.dataset.testid = cell.testId;
  }

  render(now) {
    const cell = this.#cell;
    this.#write("mrd", cell.mrd.name);
    this.#write("state", wordOf(cell.state));
    if (this.#parts.state.dataset.state !== cell.state) this.#parts.state.dataset.state = cell.state;
    this.#write("routable", routability(cell));
    this.#write("reason", cell.reasonLabel);
    this.#write("code", cell.reason?.code ? `(${cell.reason.code})` : "");
    this.#write("by", describeOrigin(cell.by));
    this.#renderMeaning();
    this.#renderSince();
    this.renderTime(now);
  }

  #renderMeaning() {
    const { swatch, reason } = this.#parts;
    const { colour, description } = this.#meanings.of(this.#cell.reason);
    if (this.#shown.colour !== colour) {
      this.#shown.colour = colour;
      swatch.hidden = !colour;
      swatch.style.backgroundColor = colour ?? "";
    }
    if (reason.title !== (description ?? "")) reason.title = description ?? "";
  }

  #renderSince() {
    const { changedAt } = this.#cell;
    if (this.#shown.since === changedAt) return;
    this.#shown.since = changedAt;
    const { time } = this.#parts;
    time.dateTime = changedAt === null ? "" : new Date(changedAt).toISOString();
    time.title = changedAt === null ? "Never changed" : `Since ${formatDateAndTime(changedAt)}`;
  }

  renderTime(now) {
    const { changedAt, limit } = this.#cell;
    this.#write("time", changedAt === null ? "–" : formatDuration(now - changedAt));
    const { level, text } = describeLimit(limit, now);
    this.#write("over", text);
    if (this.#shown.level === level) return;
    this.#shown.level = level;
    this.#element.dataset.limit = level;
  }

  #write(part, text) {
    if (this.#shown[part] === text) return;
    this.#shown[part] = text;
    const element = this.#parts[part];
    // A text node that is there already is changed in place.
    if (element.firstChild) element.firstChild.data = text;
    else element.textContent = text;
  }

  /** Highlight for a moment: painted twice, where an animation would be painted all the time. */
  mark() {
    clearTimeout(this.#markTimer);
    this.#element.classList.add("changed");
    this.#markTimer = setTimeout(() => this.#element.classList.remove("changed"), MARKED_MS);
  }
}

/** An agent who is signed in to an MRD is routable, unless it says otherwise; the desktop has no routing. */
function routability({ isDesktop, state, routable }) {
  return isDesktop || state === "LOGOUT" || routable ? "" : "not routable";
}

function findParts(element) {
  const find = (selector) => element.querySelector(selector);
  return {
    mrd: find("[data-field=mrd]"),
    state: find(".badge"),
    routable: find("[data-field=routable]"),
    swatch: find(".swatch"),
    reason: find(".label"),
    code: find(".code"),
    by: find("[data-field=by]"),
    time: find("time"),
    over: find("[data-field=over]"),
  };
}
