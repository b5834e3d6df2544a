import { Positions } from "./positions.js";
import { readNotification } from "./update.js";

const ACCESS_ENDED = 4401;

// Milliseconds.
const FIRST_DELAY = 500;
const LONGEST_DELAY = 10_000;
const ANSWER_TIMEOUT = 15_000;
/** A connection that lasted so long was sound: the next loss starts with the shortest delay. */
const SOUND_AFTER = 5_000;
const REFRESH_DELAY = 200;

/**
 * Keeps the board and the notifications flowing: one board, then one socket at a time, and after
 * every loss another try, until the session ends.
 *
 * `on` takes: state(name, {nextTryAt}), board(snapshot), notification(n) for each one once,
 * change(n) for those that are newer than the board, and note(text).
 */
export class Connection {
  #boardUrl;
  #socketUrl;
  #clock;
  #on;
  #positions = new Positions();
  #boardPosition = -1;
  #needsBoard = true;
  /** Newer notifications, while a board is being loaded that may or may not contain them. */
  #held = null;
  #socket = null;
  #abort = new AbortController();
  #deadline = 0;
  #retryTimer = 0;
  #refreshTimer = 0;
  #failures = 0;
  #liveSince = null;
  #wasLive = false;
  #hasEnded = false;

  constructor({ boardUrl, socketUrl, clock, on }) {
    this.#boardUrl = boardUrl;
    this.#socketUrl = socketUrl;
    this.#clock = clock;
    this.#on = on;
  }

  start() {
    window.addEventListener("online", () => this.#hurry());
    // A socket over a network that is gone stays open for minutes and says nothing.
    window.addEventListener("offline", () => this.distrust());
    document.addEventListener("visibilitychange", () => document.hidden || this.#hurry());
    this.#try();
  }

  /** There is evidence that the server cannot be reached: do not go on calling this live. */
  distrust() {
    if (this.#socket) this.#lose();
  }

  /** Load the board anew, soon, and once for all that ask for it until then. */
  refreshBoard() {
    this.#needsBoard = true;
    this.#refreshTimer ||= setTimeout(() => {
      this.#refreshTimer = 0;
      this.#loadBoard();
    }, REFRESH_DELAY * (1 + Math.random()));
  }

  // --- Trying, losing, trying again ---------------------------------------------------------------

  async #try() {
    this.#retryTimer = 0;
    this.#abort = new AbortController();
    this.#report(this.#wasLive || this.#failures ? "reconnecting" : "connecting");
    if (this.#needsBoard && !(await this.#loadBoard())) return;
    this.#open();
  }

  #lose({ atOnce = false } = {}) {
    if (this.#hasEnded) return;
    this.#letGo();
    if (this.#liveSince !== null && performance.now() - this.#liveSince > SOUND_AFTER) this.#failures = 0;
    this.#liveSince = null;
    const delay = atOnce && this.#failures === 0 ? 0 : this.#delay();
    this.#failures += 1;
    this.#retryTimer = setTimeout(() => this.#try(), delay);
    this.#report("reconnecting", { nextTryAt: Date.now() + delay });
  }

  #delay() {
    const longest = Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** this.#failures);
    return longest * (0.5 + Math.random() / 2);
  }

  #hurry() {
    if (!this.#retryTimer) return;
    clearTimeout(this.#retryTimer);
    this.#try();
  }

  #end() {
    this.#letGo();
    this.#hasEnded = true;
    this.#report("signed-out");
  }

  #letGo() {
    this.#abort.abort();
    clearTimeout(this.#deadline);
    clearTimeout(this.#refreshTimer);
    this.#refreshTimer = 0;
    this.#held = null;
    if (!this.#socket) return;
    this.#socket.onopen = this.#socket.onmessage = this.#socket.onclose = null;
    this.#socket.close();
    this.#socket = null;
  }

  #expectAnswer() {
    clearTimeout(this.#deadline);
    this.#deadline = setTimeout(() => this.#lose(), ANSWER_TIMEOUT);
  }

  #report(state, detail = {}) {
    this.#wasLive ||= state === "live";
    this.#on.state(state, detail);
  }

  // --- The board ----------------------------------------------------------------------------------

  /** False when there is nothing to go on with: the loss or the end is then dealt with already. */
  async #loadBoard() {
    const { signal } = this.#abort;
    clearTimeout(this.#refreshTimer);
    this.#refreshTimer = 0;
    this.#needsBoard = true;
    this.#held = [];
    this.#expectAnswer();
    let snapshot;
    try {
      snapshot = await this.#fetchBoard(signal);
    } catch {
      if (!signal.aborted) this.#lose();
      return false;
    }
    if (signal.aborted) return false;
    clearTimeout(this.#deadline);
    if (snapshot) this.#take(snapshot);
    else this.#end();
    return Boolean(snapshot);
  }

  /** The snapshot, or null when the session has ended. */
  async #fetchBoard(signal) {
    const sentAt = Date.now();
    const response = await fetch(this.#boardUrl, {
      cache: "no-store",
      credentials: "same-origin",
      headers: { Accept: "application/json" },
      signal,
    });
    this.#clock.observe(response, sentAt);
    if (response.status === 401) return null;
    if (!response.ok) throw new Error(`The board answered ${response.status}`);
    return response.json();
  }

  #take(snapshot) {
    if (this.#boardPosition < 0) this.#positions.startAt(snapshot.replayFrom);
    this.#boardPosition = snapshot.position;
    this.#needsBoard = false;
    this.#on.board(snapshot);
    const held = this.#held;
    this.#held = null;
    held.forEach((notification) => this.#apply(notification));
  }

  // --- The socket ---------------------------------------------------------------------------------

  #open() {
    const socket = new WebSocket(this.#socketUrl);
    this.#socket = socket;
    this.#expectAnswer();
    socket.onopen = () => socket.send(JSON.stringify({ type: "subscribe", after: this.#positions.last }));
    socket.onmessage = ({ data }) => this.#receive(data);
    socket.onclose = ({ code }) => this.#closed(code);
  }

  #closed(code) {
    // A refused handshake looks like a dead network from here. The board tells them apart.
    if (code === ACCESS_ENDED || this.#liveSince === null) this.#needsBoard = true;
    this.#lose({ atOnce: code === ACCESS_ENDED });
  }

  #receive(data) {
    const frame = parseFrame(data);
    if (frame.type === "subscribed") this.#subscribed(frame);
    if (frame.type === "notification") this.#notified(frame);
    if (frame.type === "access") this.refreshBoard();
    if (frame.type === "error") this.#on.note(`The server reports: ${frame.message}`);
  }

  #subscribed({ position, resume }) {
    clearTimeout(this.#deadline);
    this.#liveSince = performance.now();
    // A head behind what was received belongs to a history that began anew.
    if (resume === "reset" || position < this.#positions.last) {
      this.#startOver(position);
      return;
    }
    // During a replay the head is only a promise: a loss in the middle must ask for the rest again.
    if (resume === "live") this.#positions.reach(position);
    this.#report("live");
  }

  async #startOver(head) {
    const wasLive = this.#wasLive;
    this.#positions.startAt(head);
    if (wasLive) this.#on.note("History before this point is no longer available");
    if (!wasLive && head <= this.#boardPosition) {
      this.#report("live");
      return;
    }
    this.#report("reset");
    if (await this.#loadBoard()) this.#report("live");
  }

  #notified(frame) {
    if (!this.#positions.admit(frame.position)) return;
    const notification = readNotification(frame);
    this.#on.notification(notification);
    if (this.#held) this.#held.push(notification);
    else this.#apply(notification);
  }

  #apply(notification) {
    if (notification.position > this.#boardPosition) this.#on.change(notification);
  }
}

function parseFrame(data) {
  try {
    return JSON.parse(data) ?? {};
  } catch {
    return {};
  }
}
