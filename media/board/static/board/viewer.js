import { Board } from "./board.js";
import { Clock, formatMoment, zoneName } from "./clock.js";
import { comeBack } from "./coming-back.js";
import { Connection } from "./connection.js";
import { Indicator } from "./indicator.js";
import { Meanings } from "./meanings.js";
import { Parts } from "./parts.js";
import { Service } from "./service.js";
import { beginAgainInOtherTabs, onWordOfOtherTabs } from "./session.js";
import { Stream } from "./stream.js";
import { Views } from "./views.js";
import { hang } from "./wall.js";
import { actionsFor } from "../supervision/actions.js";
import { ownPage } from "../own_page/own_page.js";

const find = (selector) => document.querySelector(selector);

const main = find("#viewer");
const clock = new Clock();
const meanings = new Meanings(main.dataset.reasonCodesUrl, { onChange: () => board.meaningsChanged() });
const board = new Board(find(".board"), { clock, announce, meanings, onFilter: () => stream.filterChanged() });
const stream = new Stream(find(".stream"), { board, announce });
const views = new Views(main, find("#views"));
const indicator = new Indicator(find("[data-testid=connection]"), { announce });
const service = new Service(find("[data-testid=service]"), {
  clock,
  announce,
  onUnreachable: () => connection.dropSocket(),
});

// Each part of the page is registered here; parts.js says what it may hear of.
const parts = new Parts();
parts.add({ board: ({ reasonCodes }) => meanings.take(reasonCodes) });
parts.add({ board: (snapshot) => board.replace(snapshot), change: changeBoard });
parts.add({ board: () => stream.nameAgents(), notification: (notification) => stream.add(notification) });
parts.add({ notification: (_, isNew) => isNew && views.countNotification() });
parts.add(actionsFor(board, find(".board")));
parts.add(ownPage({ clock, announce }));

const connection = new Connection({
  user: main.dataset.user,
  boardUrl: main.dataset.boardUrl,
  socketUrl: socketUrl("/ws/notifications/"),
  clock,
  on: {
    state: showState,
    board: (snapshot) => parts.board(snapshot),
    notification: (notification, isNew) => parts.notification(notification, isNew),
    change: (notification) => parts.change(notification) || connection.refreshBoard(),
    note: (text) => stream.note(text),
    otherUser: () => location.reload(),
  },
});

connection.start();
service.start();
if (board.isWall) hang({ main, connection });
for (const element of document.querySelectorAll("[data-zone]")) element.textContent = zoneName();
// Signing out in another tab closes no socket; loading the board shows whether the session has ended.
onWordOfOtherTabs({
  check: () => connection.refreshBoard(),
  beginAgain(user) {
    if (connection.hasEnded || (user && user !== main.dataset.user)) location.reload();
    else connection.goOn();
  },
});
document.addEventListener("keydown", focusFilter);

/** Apply a notification that is newer than the board. */
function changeBoard(notification) {
  if (notification.service) service.check();
  else if (notification.reasonCode) meanings.refresh();
  else return board.change(notification);
  return true;
}

/** @param {string} state connecting, live, reconnecting, reset or signed-out */
function showState(state, detail) {
  indicator.show(state, detail);
  if (state === "live") {
    service.check();
    beginAgainInOtherTabs(main.dataset.user);
  }
  if (state === "signed-out") {
    service.stop();
    board.freeze();
    comeBack({ url: main.dataset.reasonCodesUrl });
  }
  showFreshness(state === "live" || state === "connecting");
  parts.state(state);
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
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || isTyping || board.isWall) return;
  event.preventDefault();
  views.show("board");
  find("#filter").focus();
}

function socketUrl(path) {
  const url = new URL(path, location.href);
  url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
  return url.href;
}
