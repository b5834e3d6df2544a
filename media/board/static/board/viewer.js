import { Board } from "./board.js";
import { Clock, formatMoment } from "./clock.js";
import { Connection } from "./connection.js";
import { Indicator } from "./indicator.js";
import { Meanings } from "./meanings.js";
import { Service } from "./service.js";
import { onCheckRequested } from "./session.js";
import { Stream } from "./stream.js";
import { Views } from "./views.js";

const find = (selector) => document.querySelector(selector);

const main = find("#viewer");
const clock = new Clock();
const meanings = new Meanings(main.dataset.reasonCodesUrl, { onChange: () => board.meaningsChanged() });
const board = new Board(find(".board"), { clock, announce, meanings });
const stream = new Stream(find(".stream"), { board, announce });
const views = new Views(main, find("#views"));
const indicator = new Indicator(find("[data-testid=connection]"), { announce });
const service = new Service(find("[data-testid=service]"), {
  clock,
  announce,
  onUnreachable: () => connection.dropSocket(),
});
const connection = new Connection({
  boardUrl: main.dataset.boardUrl,
  socketUrl: socketUrl("/ws/notifications/"),
  clock,
  on: {
    state: showState,
    board: takeBoard,
    notification: takeNotification,
    change: takeChange,
    note: (text) => stream.note(text),
  },
});

connection.start();
service.start();
// Signing out in another tab closes no socket; loading the board shows whether the session has ended.
onCheckRequested(({ data }) => {
  if (data === "begin again" && connection.hasEnded) location.reload();
  else connection.refreshBoard();
});
document.addEventListener("keydown", focusFilter);

function takeBoard(snapshot) {
  meanings.take(snapshot.reasonCodes);
  board.replace(snapshot);
  stream.nameAgents();
}

function takeNotification(notification) {
  stream.add(notification);
  views.countNotification();
}

/** Apply a notification that is newer than the board. */
function takeChange(notification) {
  if (notification.service) service.check();
  else if (notification.reasonCode) meanings.refresh();
  else if (!board.change(notification)) connection.refreshBoard();
}

/** @param {string} state connecting, live, reconnecting, reset or signed-out */
function showState(state, detail) {
  indicator.show(state, detail);
  if (state === "live") service.check();
  if (state === "signed-out") {
    service.stop();
    board.freeze();
  }
  showFreshness(state === "live" || state === "connecting");
}

/** A board without a connection must not look like a live one. */
function showFreshness(isFresh) {
  const note = find("#board-as-of");
  if (!isFresh && note.hidden) note.textContent = `As of ${formatMoment(Date.now())}`;
  note.hidden = isFresh;
  main.classList.toggle("stale", !isFresh);
}

function announce(text) {
  find("#announcer").textContent = text;
}

function focusFilter(event) {
  const isTyping = event.target.closest?.("input, textarea, select, [contenteditable]");
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || isTyping) return;
  event.preventDefault();
  views.show("board");
  find("#filter").focus();
}

function socketUrl(path) {
  const url = new URL(path, location.href);
  url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
  return url.href;
}
