import { bodyOf } from "./bodies.js";
import { Pending } from "./pending.js";
import { askForOutcome, newRequestId, sendPut } from "./sending.js";
import { doneSentence, sentenceOf } from "./sentences.js";

const ACCEPTED = 202;
const OUT_OF_SERVICE = 503;
const FIRST_LOOK_MS = 3_000;
const NEXT_LOOK_MS = 4_000;
/** So long a request keeps the agent from the next one. */
const BUSY_MS = 10_000;
const GIVE_UP_MS = 60_000;

const TEXTS = {
  sending: "Sending…",
  accepted: "Accepted. Waiting for the outcome…",
  waiting: "Accepted, but not applied yet. The server will do it: you need not press again.",
  silent: "The server does not say at the moment what became of it. Your state is as shown; this page goes on asking.",
  unanswered: "The server does not answer. It is not known yet whether this was done; this page goes on asking.",
  unreached: "This did not reach the service, and nothing has changed. Try again.",
  queued: "It waits, and follows by itself.",
  ignored: "Nothing had to be changed.",
  givenUp: "No outcome has come within a minute. Look at your state before you try again.",
};

/**
 * The requests of one card: sends them, and says what becomes of each until the outcome is known.
 *
 * `page` has data(), reload() and outcomeUrl; `say(text, kind)` shows it beside the button, where
 * kind is working, done or failed.
 */
export class Asking {
  #subject;
  #page;
  #say;
  #pending = null;
  #since = 0;
  #wasAccepted = false;
  #timer = 0;

  constructor({ subject, page, say }) {
    this.#subject = subject;
    this.#page = page;
    this.#say = say;
  }

  get isBusy() {
    return this.#pending !== null && performance.now() - this.#since < BUSY_MS;
  }

  async send(requested, given) {
    const { source, isDesktop } = this.#subject();
    const pending = new Pending({ source, requestId: newRequestId(), requested, reasonId: given.reasonCodeId });
    this.#pending = pending;
    this.#since = performance.now();
    this.#wasAccepted = false;
    clearTimeout(this.#timer);
    this.#say(TEXTS.sending, "working");
    const { status, error } = await sendPut(source, bodyOf(isDesktop, requested, given), pending.requestId);
    // The notification may have been faster than the answer.
    if (this.#pending === pending) this.#answered(status, error);
  }

  #answered(status, error) {
    this.#wasAccepted = status === ACCEPTED;
    if (this.#wasAccepted) this.#goOn(TEXTS.accepted, FIRST_LOOK_MS);
    // The change may have been saved before what it needed next was gone.
    else if (status === 0) this.#goOn(TEXTS.unanswered, FIRST_LOOK_MS);
    else if (status === OUT_OF_SERVICE) this.#goOn(`${this.#sentence(error)} ${TEXTS.silent}`, FIRST_LOOK_MS);
    else this.#settle(this.#sentence(error), "failed");
  }

  /** A notification about one's own states; `subject` is what it shows, if it does. */
  take(notification, subject) {
    const outcome = this.#pending?.outcomeIn(notification, subject);
    if (!outcome) return;
    if (outcome.isDone) this.#done(subject);
    else this.#settle(this.#sentence(outcome.error), "failed");
  }

  #goOn(text, delay) {
    this.#say(text, "working");
    this.#timer = setTimeout(() => this.#look(), delay);
  }

  async #look() {
    const pending = this.#pending;
    const found = await askForOutcome(this.#page.outcomeUrl, pending.requestId);
    if (this.#pending !== pending) return;
    if (found?.outcome === "error") this.#settle(this.#sentence({ message: found.error, type: "" }), "failed");
    else if (found?.outcome === "waiting") await this.#waits(pending);
    else if (found?.outcome === "ignored") this.#settle(TEXTS.ignored, "done");
    else if (found?.outcome === "changed") await this.#changed(pending);
    else if (found && !found.known) this.#settle(TEXTS.unreached, "failed");
    else if (performance.now() - this.#since > GIVE_UP_MS) this.#settle(TEXTS.givenUp, "failed");
    else this.#goOn(this.#meanwhile(found), NEXT_LOOK_MS);
  }

  #meanwhile(found) {
    if (found) return TEXTS.waiting;
    return this.#wasAccepted ? `${TEXTS.waiting} ${TEXTS.silent}` : TEXTS.unanswered;
  }

  /** Its notification has not come, so the page does not show it yet. */
  async #changed(pending) {
    await this.#page.reload();
    if (this.#pending === pending) this.#done(this.#subject());
  }

  async #waits(pending) {
    await this.#page.reload();
    if (this.#pending === pending) this.#settle(TEXTS.queued, "done");
  }

  #done(subject) {
    this.#settle(doneSentence(this.#pending.requested, subject, this.#page.data().words), "done");
  }

  #settle(text, kind) {
    clearTimeout(this.#timer);
    this.#pending = null;
    this.#say(text, kind);
  }

  #sentence(error) {
    return sentenceOf(error ?? {}, this.#page.data().words);
  }
}
