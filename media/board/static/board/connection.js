import { jsonOf } from "./json-body.js";
import { Positions } from "./positions.js";
import { readNotification } from "./update.js";

const ACCESS_ENDED_CODE = 4401;

const FIRST_RETRY_DELAY_MS = 500;
const LONGEST_RETRY_DELAY_MS = 10_000;
const ANSWER_TIMEOUT_MS = 15_000;
/** After a connection that lasted so long, the first retry has the shortest delay again. */
const STABLE_AFTER_MS = 5_000;
const BOARD_REFRESH_DELAY_MS = 200;
const LOOK_AT_CLOCK_MS = 10_000;
/** Browsers delay the timers of a hidden page by up to a minute. A longer delay means that the machine slept. */
const SLEPT_MS = 150_000;

/**
 * Loads the board, then receives notifications over one socket at a time. Connects again after each
 * loss, until the session ends.
 *
 * `on` has the callbacks state(name, {nextTryAt}), board(snapshot), notification(n, isNew) once for
 * each, change(n) for each that is newer than the board, note(text), and otherUser() when somebody else has
 * signed in in this browser. What was replayed from before the page was opened is not new.
 */
export class Connection {
  #user;
  #boardUrl;
  #socketUrl;
  #clock;
  #on;
  #positions = new Positions();
  #boardPosition = -1;
  /** The position of the first board, or of the place where the log has begun again. */
  #openedAt = -1;
  #needsBoard = true;
  /** Notifications received while a board is being loaded, which may or may not contain them. */
  #held = null;
  #socket = null;
  #abort = new AbortController();
  #deadline = 0;
  #retryTimer = 0;
  #refreshTimer = 0;
  #failures = 0;
  #liveSince = null;
  #loading = null;
  #wasLive = false;
  #hasEnded = false;
  /** Keys by which the session has gone on since the page was opened. */
  #newKeys = 0;

  constructor({ user, boardUrl, socketUrl, clock, on }) {
    this.#user = user;
    this.#boardUrl = boardUrl;
    this.#socketUrl = socketUrl;
    this.#clock = clock;
    this.#on = on;
  }

  start() {
    window.addEventListener("online", () => this.#retryNow());
    // A socket stays open for minutes after its network was lost, without an event.
    window.addEventListener("offline", () => this.dropSocket());
    document.addEventListener("visibilitychange", () => document.hidden || this.#retryNow());
    this.#noticeSleep();
    this.#connect();
  }

  get hasEnded() {
    return this.#hasEnded;
  }

  /** The server seems unreachable: close the socket, if there is one, and connect again. */
  dropSocket() {
    if (this.#socket) this.#retryLater();
  }

  /**
   * The session goes on by another key. A refusal of what was asked with the key before, which may come
   * later than this, does not end it.
   */
  goOn() {
    this.#newKeys += 1;
  }

  /** Load the board again after a short delay; calls during the delay add nothing. */
  refreshBoard() {
    if (this.#hasEnded) return;
    this.#needsBoard = true;
    this.#refreshTimer ||= setTimeout(() => {
      this.#refreshTimer = 0;
      if (this.#loading) this.refreshBoard();
      else this.#loadBoard();
    }, BOARD_REFRESH_DELAY_MS * (1 + Math.random()));
  }

  // --- Connecting and retrying --------------------------------------------------------------------

  async #connect() {
    this.#retryTimer = 0;
    this.#abort = new AbortController();
    this.#report(this.#wasLive || this.#failures ? "reconnecting" : "connecting");
    if (this.#needsBoard && !(await this.#loadBoard())) return;
    this.#open();
  }

  #retryLater({ atOnce = false } = {}) {
    if (this.#hasEnded) return;
    this.#disconnect();
    if (this.#liveSince !== null && performance.now() - this.#liveSince > STABLE_AFTER_MS) this.#failures = 0;
    this.#liveSince = null;
    const delay = atOnce && this.#failures === 0 ? 0 : this.#delay();
    this.#failures += 1;
    this.#retryTimer = setTimeout(() => this.#connect(), delay);
    this.#report("reconnecting", { nextTryAt: Date.now() + delay });
  }

  #delay() {
    const longest = Math.min(LONGEST_RETRY_DELAY_MS, FIRST_RETRY_DELAY_MS * 2 ** this.#failures);
    return longest * (0.5 + Math.random() / 2);
  }

  /** While a machine sleeps, its connections may be forgotten by whatever lies between, without an event. */
  #noticeSleep() {
    let seen = Date.now();
    setInterval(() => {
      if (Date.now() - seen > SLEPT_MS) this.dropSocket();
      seen = Date.now();
    }, LOOK_AT_CLOCK_MS);
  }

  #retryNow() {
    if (!this.#retryTimer) return;
    clearTimeout(this.#retryTimer);
    this.#connect();
  }

  #end() {
    this.#disconnect();
    this.#hasEnded = true;
    this.#report("signed-out");
  }

  #disconnect() {
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
    this.#deadline = setTimeout(() => this.#retryLater(), ANSWER_TIMEOUT_MS);
  }

  #report(state, detail = {}) {
    this.#wasLive ||= state === "live";
    this.#on.state(state, detail);
  }

  // --- The board ----------------------------------------------------------------------------------

  /** False when no board came; the next try is then scheduled, or the session has ended. */
  async #loadBoard() {
    const { signal } = this.#abort;
    // One after another: of two at once the older one could come last, over newer states.
    while (this.#loading) await this.#loading;
    if (signal.aborted) return false;
    this.#loading = this.#load(signal);
    try {
      return await this.#loading;
    } finally {
      this.#loading = null;
    }
  }

  async #load(signal) {
    clearTimeout(this.#refreshTimer);
    this.#refreshTimer = 0;
    this.#needsBoard = true;
    this.#held = [];
    this.#expectAnswer();
    const asked = this.#newKeys;
    let snapshot;
    try {
      snapshot = await this.#fetchBoard(signal);
    } catch {
      if (!signal.aborted) this.#retryLater();
      return false;
    }
    if (signal.aborted) return false;
    clearTimeout(this.#deadline);
    if (snapshot && snapshot.user !== this.#user) this.#on.otherUser();
    else if (snapshot) this.#applyBoard(snapshot);
    else if (asked < this.#newKeys) this.#retryLater({ atOnce: true });
    else this.#end();
    return snapshot?.user === this.#user;
  }

  /** The snapshot, or null when the session has ended. */
  async #fetchBoard(signal) {
    // The first board was asked for by the page itself, which says so in its head: the answer is used if
    // the request is the same in everything. The server forbids caches by itself.
    const sentAt = this.#boardPosition < 0 ? performance.timeOrigin : Date.now();
    const response = await fetch(this.#boardUrl, { credentials: "same-origin", signal });
    this.#clock.observe(response, sentAt);
    if (response.status === 401) return null;
    if (!response.ok) throw new Error(`The board answered ${response.status}`);
    return jsonOf(response, () => this.#expectAnswer());
  }

  #applyBoard(snapshot) {
    if (this.#boardPosition < 0) {
      this.#positions.startAt(snapshot.replayFrom);
      this.#openedAt = snapshot.position;
    }
    this.#boardPosition = snapshot.position;
    // Another one may have been asked for meanwhile.
    this.#needsBoard = this.#refreshTimer !== 0;
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
    // A refused handshake and a dead network look the same here; loading the board tells them apart.
    if (code === ACCESS_ENDED_CODE || this.#liveSince === null) this.#needsBoard = true;
    this.#retryLater({ atOnce: code === ACCESS_ENDED_CODE });
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
    // A head below the last position received: the server's log has started again.
    if (resume === "reset" || position < this.#positions.last) {
      this.#startOver(position);
      return;
    }
    // In a replay the notifications up to the head are still to come: a lost connection must ask for
    // the missing ones again.
    if (resume === "live") this.#positions.reach(position);
    this.#report("live");
  }

  async #startOver(head) {
    const wasLive = this.#wasLive;
    this.#positions.startAt(head);
    this.#openedAt = Math.min(this.#openedAt, head);
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
    this.#on.notification(notification, notification.position > this.#openedAt);
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
