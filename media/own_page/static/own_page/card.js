import { formatDateAndTime, formatDuration } from "../board/clock.js";
import { placeInQueue } from "../board/queue.js";
import { fromTemplate } from "../board/template.js";
import { Asking } from "./asking.js";
import { Form } from "./form.js";
import { mayWait, waitingSentence } from "./later.js";
import { REQUESTED, explanations, offers } from "./rules.js";
import { byWhom } from "./sentences.js";
import { timeLeft } from "./time_left.js";
import { cancelWaiting, letWait } from "./waiting.js";

const BUSY = "Wait for the outcome of what you have pressed.";

/** One's own Media in an MRD, or the desktop: the state, and what may be asked for. */
export class Card {
  #page;
  #subject;
  #asking;
  #form;
  #buttons = new Map();
  #offered = [];
  #level = "";
  /** Whether the form that is open is about a change that is to wait. */
  #isLater = false;
  #wasBusy = false;

  constructor(subject, page) {
    this.#page = page;
    this.#subject = subject;
    this.element = fromTemplate("own-card-template");
    this.element.querySelector("article").dataset.testid = `my-state-${subject.mrd.id}`;
    this.#asking = new Asking({ subject: () => this.#subject, page, say: (text, kind) => this.#tell(text, kind) });
    this.#form = new Form(this.#part("form"), {
      onApply: (requested, given, isFull) => (this.#isLater || isFull ? this.#letWait(requested, given, isFull) : this.#send(requested, given)),
      onClosed: (requested) => this.#focusButtonOf(requested),
    });
    for (const button of this.element.querySelectorAll("[data-action]")) {
      this.#buttons.set(button.dataset.action, button);
      button.addEventListener("click", () => this.#pressed(button.dataset.action));
    }
    this.#part("cancel-waiting").addEventListener("click", () => this.#cancelWaiting());
    this.#label();
  }

  get subject() {
    return this.#subject;
  }

  /** Screen readers name card and buttons by these ids. */
  #label() {
    const id = `own-${this.#subject.mrd.id}`;
    this.#part("name").id = `${id}-name`;
    this.element.querySelector("article").setAttribute("aria-labelledby", `${id}-name`);
    this.#part("why").id = `${id}-why`;
    for (const button of this.#buttons.values()) button.setAttribute("aria-describedby", `${id}-name ${id}-why`);
  }

  // --- What is shown ------------------------------------------------------------------------------

  take(subject) {
    const before = this.#subject;
    this.#subject = { ...before, ...subject };
    // A form about a state that is no more would ask for something else than its title says.
    if (this.#form.isOpen && before.state !== this.#subject.state) {
      this.#form.close();
      this.#say("Your state has changed meanwhile. Look at it before you go on.", "failed");
    }
    this.render();
  }

  /** What waited about this card has ended without being made; empty if another page has done it. */
  hearEnd(sentence) {
    this.#say(sentence, "");
    this.#page.announce(`${this.#part("name").textContent}: ${sentence}`);
  }

  /** The outcome of what this card has asked for, perhaps. */
  hear(notification, subject) {
    this.#asking.take(notification, subject);
  }

  render() {
    const { mrd, name, state, routable, isDesktop, changedAt, extension } = this.#subject;
    const { words } = this.#page.data();
    this.#write("name", name || mrd.name);
    this.#write("state", words.states[state] ?? state);
    this.#part("state").dataset.state = this.element.dataset.state = state;
    this.#renderReason();
    const isOut = !isDesktop && state !== "LOGOUT" && !routable;
    this.#write("mode", isOut ? "Not routable: no new tasks" : "");
    this.#write("extension", extension ? `Extension ${extension}` : "");
    this.#part("time").title = changedAt === null ? "" : `Since ${formatDateAndTime(changedAt)}`;
    this.#write("by", byWhom(this.#subject.by));
    this.#form.renew(this.#page.data(), this.#subject);
    this.#renderButtons();
    this.tick(this.#page.now());
  }

  #renderReason() {
    const { reason } = this.#subject;
    const meaning = this.#page.meaningOf(reason);
    this.#write("reason", meaning?.label ?? reason?.label ?? "");
    const line = this.element.querySelector(".own-reason");
    line.hidden = !reason;
    line.title = meaning?.description ?? "";
    const swatch = line.querySelector(".swatch");
    swatch.hidden = !meaning?.colour;
    swatch.style.backgroundColor = meaning?.colour ?? "";
  }

  #renderButtons() {
    const data = this.#page.data();
    const blocked = this.#asking.isBusy ? BUSY : this.#page.whyNothing();
    this.#offered = offers(this.#subject, data).map((one) => (blocked ? { ...one, why: blocked } : one));
    for (const { action, isShown, why, isPresent } of this.#offered) {
      const button = this.#buttons.get(action);
      button.hidden = !isShown;
      button.setAttribute("aria-disabled", String(Boolean(why)));
      button.setAttribute("aria-current", String(isPresent));
    }
    for (const [action, button] of this.#buttons) if (!this.#offered.some((one) => one.action === action)) button.hidden = true;
    this.#buttons.get("not-ready").textContent = this.#notReadyLabel(data);
    this.#write("why", blocked || explanations(this.#offered, this.#labels()).join(" "));
    this.#renderLater(blocked ? [] : mayWait(this.#subject, this.#offered));
  }

  /** What waits, and a button for each change that could. */
  #renderLater(possible) {
    const waiting = this.#page.waitingFor(this.#subject);
    const place = waiting?.place ? placeInQueue(...waiting.place) : "";
    this.#write("waiting-text", waiting ? waitingSentence({ ...waiting, place }, this.#labels()) : "");
    this.#part("waiting").hidden = !waiting;
    const labels = this.#labels();
    const buttons = possible.map(({ action }) => {
      const button = fromTemplate("own-later-template");
      button.textContent = `${labels[action]} after this one`;
      button.dataset.action = action;
      button.addEventListener("click", () => this.#pressedLater(action));
      return button;
    });
    const list = this.#part("later");
    list.hidden = buttons.length === 0;
    const shown = [...list.children].map(({ textContent }) => textContent).join();
    if (shown !== buttons.map(({ textContent }) => textContent).join()) list.replaceChildren(...buttons);
  }

  #pressedLater(action) {
    const requested = REQUESTED[action];
    this.#isLater = true;
    if (this.#page.data().reasons[requested]?.codes.length) this.#open(action, requested);
    else this.#letWait(requested, {});
  }

  async #letWait(requested, given, isFull = false) {
    this.#isLater = false;
    const until = isFull ? "a place is free" : "the rules allow it";
    await this.#settle(letWait(this.#page.waitingUrl, this.#subject, requested, given), `It waits, and follows as soon as ${until}.`);
  }

  async #cancelWaiting() {
    await this.#settle(cancelWaiting(this.#page.waitingUrl, this.#page.waitingFor(this.#subject)), "It does not wait any more.");
  }

  async #settle(answer, done) {
    this.#say("Sending…", "working");
    try {
      await answer;
      await this.#page.reload();
      this.#say(done, "done");
    } catch (error) {
      // What has refused it may be another thing than the page knew.
      this.#page.reload();
      this.#say(error.message || "The server does not answer. Look at what waits before you try again.", "failed");
    }
  }

  #notReadyLabel({ reasons }) {
    if (this.#subject.state === "NOT_READY" && reasons.NOT_READY.codes.length) return "Change the reason";
    return "Not ready";
  }

  #labels() {
    return Object.fromEntries([...this.#buttons].map(([action, button]) => [action, button.textContent]));
  }

  /** Called each second. */
  tick(now) {
    const { changedAt, reason, state } = this.#subject;
    this.#write("time", changedAt === null ? "" : `for ${formatDuration(now - changedAt)}`);
    const left = state === "NOT_READY" ? timeLeft(changedAt, this.#page.meaningOf(reason), now, formatDuration) : null;
    this.#write("left", left?.text ?? "");
    this.#part("left").dataset.level = left?.level ?? "";
    this.#announceLevel(left);
    if (this.#wasBusy !== this.#asking.isBusy) this.#renderButtons();
    this.#wasBusy = this.#asking.isBusy;
  }

  /** Once, when it is nearly over and when it is over, not each second. */
  #announceLevel(left) {
    const level = left?.level ?? "";
    if (level !== this.#level && (level === "soon" || level === "over")) {
      this.#page.announce(`${this.#part("name").textContent}: ${left.text}`);
    }
    this.#level = level;
  }

  // --- What is pressed ----------------------------------------------------------------------------

  #pressed(action) {
    const { why, isPresent } = this.#offered.find((one) => one.action === action);
    if (why) {
      this.#say(why, isPresent ? "" : "failed");
      return;
    }
    const requested = REQUESTED[action];
    this.#isLater = false;
    if (this.#form.isOpen && this.#form.requested === requested) this.#form.close();
    else if (Form.isNeeded(requested, this.#page.data())) this.#open(action, requested);
    else if (this.#warningOf(requested)) this.#open(action, requested);
    else this.#send(requested, {});
  }

  #open(action, requested) {
    this.#say("", "");
    // Places come and go without a notification to others; the form is renewed with the answer.
    if (requested === "NOT_READY") this.#page.reload();
    this.#form.open(requested, {
      subject: this.#subject,
      data: this.#page.data(),
      title: this.#buttons.get(action).textContent,
      warning: this.#warningOf(requested),
    });
  }

  #warningOf(requested) {
    const endsAll = this.#subject.isDesktop && requested === "LOGOUT" && this.#page.data().desktopEndsAll;
    return endsAll ? "This also signs you out of all other channels." : "";
  }

  #send(requested, given) {
    this.#asking.send(requested, given);
  }

  /** What becomes of a request; with its end the buttons may be pressed again. */
  #tell(text, kind) {
    this.#say(text, kind);
    this.#renderButtons();
  }

  #focusButtonOf(requested) {
    const [action] = Object.entries(REQUESTED).find(([, one]) => one === requested) ?? [];
    this.#buttons.get(action)?.focus();
  }

  #say(text, kind) {
    this.#write("message", text);
    this.#part("message").dataset.kind = kind;
  }

  #part(name) {
    return this.element.querySelector(`[data-part=${name}]`);
  }

  /** Nothing to say is not shown; a live region has to be there before it speaks. */
  #write(name, text) {
    const part = this.#part(name);
    if (part.textContent !== text) part.textContent = text;
    if (name !== "message") part.hidden = !text;
  }
}
