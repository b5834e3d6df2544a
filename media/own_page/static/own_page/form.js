import { canWaitForPlace, limitSentence } from "./limits.js";
import { minutes } from "./time_left.js";

const TEMPLATES = { NOT_READY: "own-reason-template", LOGOUT: "own-reason-template", LOGIN: "own-sign-in-template" };
const DESKTOP_TEMPLATES = { ...TEMPLATES, LOGIN: "own-extension-template" };

/** What a request needs beside the button, asked for inside the card. */
export class Form {
  #element;
  #fields;
  #requested = "";
  #reasons = [];
  #onClosed;
  #title = "";

  /** `onApply(requested, given, isFull)`, where all places at the reason are taken; `onClosed(requested)` gives the focus back. */
  constructor(element, { onApply, onClosed }) {
    this.#element = element;
    this.#fields = element.querySelector("[data-part=fields]");
    this.#onClosed = onClosed;
    element.addEventListener("submit", (event) => {
      event.preventDefault();
      const requested = this.#requested;
      const given = this.#given();
      const isFull = canWaitForPlace(this.#chosen?.limit);
      this.close();
      onApply(requested, given, isFull);
    });
    element.querySelector("[data-part=cancel]").addEventListener("click", () => this.close());
    element.addEventListener("keydown", ({ key }) => key === "Escape" && this.close());
    element.addEventListener("change", () => this.#showReason());
  }

  get isOpen() {
    return !this.#element.hidden;
  }

  get requested() {
    return this.#requested;
  }

  /** @returns {boolean} false if there is nothing to ask for */
  static isNeeded(requested, { reasons }) {
    return requested === "LOGIN" || Boolean(reasons[requested]?.codes.length);
  }

  open(requested, { subject, data, title, warning }) {
    const id = (subject.isDesktop ? DESKTOP_TEMPLATES : TEMPLATES)[requested];
    this.#requested = requested;
    this.#title = title;
    this.#fields.replaceChildren(document.getElementById(id).content.cloneNode(true));
    this.#find("[data-part=title]").textContent = title;
    this.#find("[data-part=warning]").textContent = warning;
    this.#find("[data-part=warning]").hidden = !warning;
    this.#reasons = [];
    this.#find("[data-part=apply]").textContent = title;
    this.#element.hidden = false;
    const interruptions = this.#find("[data-part=interruptions]");
    if (interruptions) interruptions.hidden = !subject.isInterruptible;
    if (id === "own-reason-template") this.#offer(data.reasons[requested].codes, subject);
    this.#fields.querySelector("select, input").focus();
  }

  close() {
    if (!this.isOpen) return;
    this.#element.hidden = true;
    this.#fields.replaceChildren();
    this.#onClosed(this.#requested);
    this.#requested = "";
  }

  /** The reasons may have changed while the form is open: what was chosen stays, if it is still there. */
  renew(data, subject) {
    if (this.isOpen && this.#find("[name=reasonCodeId]")) this.#offer(data.reasons[this.#requested].codes, subject);
  }

  #offer(reasons, subject) {
    const select = this.#find("[name=reasonCodeId]");
    const chosen = select.value;
    this.#reasons = reasons;
    // The one that the agent is in would change nothing.
    const others = reasons.filter(({ id }) => this.#requested !== subject.state || id !== subject.reason?.id);
    const options = [new Option("Choose a reason…", ""), ...others.map(optionOf)];
    // A list that is open on the screen closes when its options are replaced.
    if (!isSame(options, [...select.options])) select.replaceChildren(...options);
    select.value = others.some(({ id }) => id === chosen) ? chosen : "";
    this.#showReason();
  }

  #showReason() {
    const select = this.#find("[name=reasonCodeId]");
    if (!select) return;
    const reason = this.#chosen;
    const swatch = this.#find(".swatch");
    swatch.hidden = !reason?.colour;
    swatch.style.backgroundColor = reason?.colour ?? "";
    this.#find("[data-part=description]").textContent = [reason?.description, limitSentence(reason?.limit)].filter(Boolean).join(" ");
    this.#find("[data-part=apply]").textContent = canWaitForPlace(reason?.limit) ? "Wait for a place" : this.#title;
  }

  /** The reason that is chosen, if there is one to choose. */
  get #chosen() {
    const chosen = this.#find("[name=reasonCodeId]")?.value;
    return this.#reasons.find(({ id }) => id === chosen);
  }

  #given() {
    return Object.fromEntries([...new FormData(this.#element)].map(([name, value]) => [name, value.trim()]));
  }

  #find(selector) {
    return this.#element.querySelector(selector);
  }
}

function optionOf({ id, label, maximumMinutes }) {
  return new Option(maximumMinutes ? `${label} (at most ${minutes(maximumMinutes)})` : label, id);
}

function isSame(some, others) {
  return some.length === others.length && some.every(({ value, text }, index) => value === others[index].value && text === others[index].text);
}
