import { formatMoment } from "../board/clock.js";
import { Card } from "./card.js";
import { Leaving } from "./leaving.js";
import { PhoneView } from "./phone_view.js";
import { byWhom } from "./sentences.js";
import { readSubject, readUpdate } from "./subject.js";

const RELOAD_DELAY_MS = 200;
/** Everybody's page hears of a reason that changes. */
const REASONS_DELAY_MS = 1_000;
const RETRY_DELAY_MS = 3_000;
const ANSWER_TIMEOUT_MS = 15_000;
/** The voice MRD: it stands for the desktop. */
const DESKTOP_ID = "1";
const NOT_LOADED = "Your states are not loaded yet: you may be signed in to media";
const SIGNED_OUT = "You are signed out of this page. Sign in again to change your states.";

/** The agent's own page, a part of the viewer's as board/parts.js has it; an empty one without the section. */
export function ownPage({ clock, announce }) {
  const root = document.getElementById("own-page");
  return root ? new OwnPage(root, { clock, announce }) : {};
}

/** The section with a card for each of one's own Media, and for the desktop. */
class OwnPage {
  #root;
  #clock;
  #data = null;
  #cards = new Map();
  #reasons = new Map();
  #position = -1;
  /** Notifications that came while the states were being loaded, which may or may not contain them. */
  #held = null;
  #loading = null;
  #timer = 0;
  #hasEnded = false;
  #knowsBoard = false;

  constructor(root, { clock, announce }) {
    this.#root = root;
    this.#clock = clock;
    this.announce = announce;
    new PhoneView(root);
    new Leaving(root, () => this.#statesToKeep());
    clock.everySecond(() => this.#cards.forEach((card) => card.tick(clock.now())));
    this.reload();
  }

  // --- What cards ask for ---------------------------------------------------------------------------

  data() {
    return this.#data;
  }

  now() {
    return this.#clock.now();
  }

  get waitingUrl() {
    return this.#root.dataset.waitingUrl;
  }

  waitingFor({ mrd }) {
    return this.#data.waiting.find(({ mrdId }) => mrdId === mrd.id) ?? null;
  }

  get outcomeUrl() {
    return this.#root.dataset.outcomeUrl;
  }

  meaningOf(reason) {
    return (reason && this.#reasons.get(reason.id)) ?? null;
  }

  /** Why nothing can be asked for at all; empty if something can. */
  whyNothing() {
    return this.#hasEnded ? SIGNED_OUT : "";
  }

  // --- The connection -------------------------------------------------------------------------------

  /** @param {string} state connecting, live, reconnecting, reset or signed-out */
  state(state) {
    const isFresh = state === "live" || state === "connecting";
    const note = this.#find("stale");
    if (!isFresh && note.hidden) note.textContent = `Not live since ${formatMoment(Date.now())}`;
    note.hidden = isFresh;
    // What was asked for with a key of before was refused.
    if (state === "live" && !this.#data) this.reload();
    if (this.#hasEnded === (state === "signed-out")) return;
    this.#hasEnded = state === "signed-out";
    this.#cards.forEach((card) => card.render());
  }

  /** The first board comes along with the first states. */
  board() {
    if (this.#knowsBoard) this.reload();
    this.#knowsBoard = true;
  }

  /** Load the states; calls meanwhile wait for the same ones. */
  reload() {
    clearTimeout(this.#timer);
    this.#timer = 0;
    this.#loading ??= this.#load().finally(() => (this.#loading = null));
    return this.#loading;
  }

  async #load() {
    this.#held = [];
    const data = await this.#fetch();
    const held = this.#held;
    this.#held = null;
    if (data) this.#show(data);
    for (const notification of held) this.notification(notification);
  }

  async #fetch() {
    try {
      const { url } = this.#root.dataset;
      const response = await fetch(url, {
        cache: "no-store",
        credentials: "same-origin",
        signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS),
      });
      // The viewer notices that the session has ended when it loads the board.
      if (response.status === 401) return null;
      if (response.ok) return await response.json();
    } catch {
      // Without an answer: as with an answer that is an error.
    }
    if (!this.#data) this.#find("loading").textContent = "Your states cannot be loaded at the moment. Trying again…";
    this.#reloadSoon(RETRY_DELAY_MS);
    return null;
  }

  #reloadSoon(delay = RELOAD_DELAY_MS) {
    this.#timer ||= setTimeout(() => this.reload(), delay * (1 + Math.random()));
  }

  // --- The states -----------------------------------------------------------------------------------

  #show(data) {
    this.#data = data;
    this.#position = data.position;
    const reasons = [...data.presentReasons, ...Object.values(data.reasons).flatMap(({ codes }) => codes)];
    this.#reasons = new Map(reasons.map((reason) => [reason.id, reason]));
    const list = this.#find("cards");
    const known = this.#cards;
    this.#cards = new Map(this.#shownOf(data.subjects).map((one) => [one.source, this.#cardOf(known.get(one.source), readSubject(one))]));
    for (const [source, card] of known) if (!this.#cards.has(source)) card.element.remove();
    [...this.#cards.values()].forEach(({ element }, index) => {
      if (list.children[index] !== element) list.insertBefore(element, list.children[index] ?? null);
    });
    this.#cards.forEach((card) => card.render());
    this.#showEmptiness();
  }

  /** Supervisors and administrators who are in no MRD have a desktop, too, and nothing to do with it here. */
  #shownOf(subjects) {
    const isInMrd = subjects.some(({ source }) => source.includes("/Media/"));
    return isInMrd || this.#root.dataset.role === "agent" ? subjects : [];
  }

  #cardOf(known, subject) {
    if (!known) return new Card(subject, this);
    known.take(subject);
    return known;
  }

  #showEmptiness() {
    const hasMedia = [...this.#cards.values()].some(({ subject }) => !subject.isDesktop);
    this.#find("loading").hidden = true;
    this.#find("empty").hidden = hasMedia;
    this.#root.hidden = !hasMedia && this.#root.dataset.role !== "agent";
    this.#root.dispatchEvent(new CustomEvent("own-page-shown"));
    this.#summarise();
  }

  /** A notification; replayed ones may be older than the states. */
  notification(notification) {
    if (this.#held) {
      this.#held.push(notification);
      return;
    }
    if (!this.#data || notification.position <= this.#position) return;
    if (notification.reasonCode) this.#reloadSoon(REASONS_DELAY_MS);
    else if (notification.waitingChange || notification.limit) this.#takeNews(notification);
    else if (notification.agentId === this.#data.user.id) this.#takeOwn(notification);
  }

  /** Of what waits, and of the time of a reason: also of agents whom the reader supervises. */
  #takeNews({ agentId, waitingChange }) {
    this.#reloadSoon();
    const sentence = this.#data.words.waitingEnds[waitingChange?.outcome];
    const { id } = this.#data.user;
    // What one has done oneself is said where it was pressed.
    if (!sentence || agentId !== id || waitingChange.endedBy === id) return;
    const mrdId = waitingChange.mrdId || DESKTOP_ID;
    [...this.#cards.values()].find(({ subject }) => subject.mrd.id === mrdId)?.hearEnd(sentence);
  }

  #takeOwn(notification) {
    const { source, event, errors, xml } = notification;
    const card = this.#cards.get(source);
    if (event === "DELETE" || !card) {
      if (!errors.length) this.#reloadSoon();
      return;
    }
    const state = errors.length ? null : readUpdate(xml);
    if (state) this.#change(card, state, notification);
    card.hear(notification, state && card.subject);
  }

  #change(card, state, notification) {
    const hasChanged = Boolean(notification.context) || isOther(card.subject, state);
    // Of an MRD with another name, or a code with another label, nobody has asked for the state.
    const by = hasChanged ? notification.context : card.subject.by;
    card.take({ ...state, by });
    if (hasChanged && by) this.announce(`${card.subject.mrd.name}: ${byWhom(by)}`);
    if (state.reason && !this.meaningOf(state.reason)) this.#reloadSoon();
    this.#summarise();
  }

  // --- In a line ------------------------------------------------------------------------------------

  #summarise() {
    const { states } = this.#data.words;
    const texts = [...this.#cards.values()].map(({ subject }) => `${subject.name || subject.mrd.name}: ${states[subject.state]}`);
    this.#find("summary").textContent = texts.join(" · ");
  }

  #statesToKeep() {
    if (!this.#data) return this.#hasEnded || this.#root.hidden ? [] : [NOT_LOADED];
    return [...this.#cards.values()]
      .filter(({ subject }) => subject.state !== "LOGOUT")
      .map(({ subject }) => `${subject.name || subject.mrd.name}: ${this.#data.words.states[subject.state]}`);
  }

  #find(part) {
    return this.#root.querySelector(`[data-part=${part}]`);
  }
}

function isOther(before, after) {
  return (
    before.state !== after.state ||
    before.reason?.id !== after.reason?.id ||
    before.routable !== after.routable ||
    before.changedAt !== after.changedAt
  );
}
