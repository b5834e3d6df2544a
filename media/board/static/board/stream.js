import { batched } from "./batch.js";
import { formatDateAndTime, formatMoment } from "./clock.js";
import { copyText } from "./copy.js";
import { summarise } from "./summary.js";
import { fromTemplate } from "./template.js";
import { prettyPrint } from "./update.js";

const MAX_ITEMS = 300;
/** Kept for when another filter is chosen. */
const MAX_KEPT = 2000;
const ERROR_PAGES = "/finesse/docs/errors/";

/** The list of notifications that the board's filter lets through, newest first. */
export class Stream {
  #list;
  #empty;
  #pauseButton;
  #board;
  #announce;
  /** The newest ones, oldest first: {notification} or {text}; whatever the filter is. */
  #kept = [];
  #waiting = [];
  #isPaused = false;
  #notifications = new WeakMap();
  #refresh = batched(() => this.#flush());

  constructor(root, { board, announce }) {
    this.#list = root.querySelector("#stream");
    this.#empty = root.querySelector("#stream-empty");
    this.#pauseButton = root.querySelector("#pause");
    this.#board = board;
    this.#announce = announce;
    this.#pauseButton.addEventListener("click", () => this.#togglePause());
    // `toggle` does not bubble.
    this.#list.addEventListener("toggle", ({ target }) => this.#toggled(target), true);
    this.#list.addEventListener("click", ({ target }) => this.#clicked(target));
  }

  add(notification) {
    this.#push({ notification });
  }

  /** Add a line of text between the notifications. */
  note(text) {
    this.#push({ text });
  }

  #push(entry) {
    this.#kept.push(entry);
    if (this.#kept.length > 2 * MAX_KEPT) this.#kept.splice(0, MAX_KEPT);
    if (!this.#isTold(entry)) return;
    this.#waiting.push(entry);
    if (this.#waiting.length > MAX_ITEMS) this.#waiting.shift();
    this.#refresh();
  }

  #isTold({ notification }) {
    return !notification || this.#board.tells(notification);
  }

  /** Show what the board's filter lets through now. */
  filterChanged() {
    this.#list.replaceChildren();
    this.#waiting = this.#kept.filter((entry) => this.#isTold(entry)).slice(-MAX_ITEMS);
    this.#empty.hidden = this.#waiting.length > 0;
    this.#flush({ evenPaused: true });
  }

  /** Fill in the names of agents that were unknown when their items were added. */
  nameAgents() {
    for (const item of this.#list.querySelectorAll("li.unnamed")) this.#name(item, this.#notifications.get(item));
    const source = this.#board.agents.cells.next().value?.source;
    if (source) this.#empty.querySelector("#example-source").textContent = source;
  }

  #togglePause() {
    this.#isPaused = !this.#isPaused;
    this.#pauseButton.classList.toggle("primary", this.#isPaused);
    this.#flush();
  }

  #flush({ evenPaused = false } = {}) {
    if (!(this.#isPaused && !evenPaused) && this.#waiting.length) this.#showWaiting();
    const text = this.#pauseText();
    if (this.#pauseButton.textContent !== text) this.#pauseButton.textContent = text;
  }

  #showWaiting() {
    const fragment = document.createDocumentFragment();
    fragment.append(...this.#waiting.reverse().map((entry) => this.#makeItem(entry)));
    this.#waiting = [];
    this.#list.prepend(fragment);
    while (this.#list.childElementCount > MAX_ITEMS) this.#list.lastElementChild.remove();
    this.#empty.hidden = true;
  }

  #pauseText() {
    const count = this.#waiting.length;
    if (!this.#isPaused) return "Pause";
    return count ? `Resume · ${count} new` : "Resume";
  }

  #makeItem({ notification, text }) {
    const item = fromTemplate(notification ? "item-template" : "note-template");
    if (notification) this.#fill(item, notification);
    else item.firstElementChild.textContent = text;
    return item;
  }

  #fill(item, notification) {
    const { kind, what } = summarise(notification);
    const write = (selector, text) => (item.querySelector(selector).textContent = text);
    this.#notifications.set(item, notification);
    item.dataset.position = notification.position;
    item.dataset.kind = kind;
    write(".what", what);
    write(".position", `#${notification.position}`);
    write(".request", notification.requestId && `request ${notification.requestId}`);
    fillTime(item.querySelector("time"), notification.at);
    this.#name(item, notification);
    this.#linkToErrorPage(item, notification.errors[0]?.constant);
  }

  #linkToErrorPage(item, constant) {
    if (!/^\w+$/.test(constant ?? "")) return;
    const help = item.querySelector(".help");
    help.hidden = false;
    help.firstElementChild.href = `${ERROR_PAGES}${constant}/`;
  }

  #name(item, { agentId, mrdId, source, media, user, service, reasonCode }) {
    const name = service ? "Service" : reasonCode ? "Reason code" : this.#board.agents.nameOf(agentId) || user?.name;
    item.querySelector(".agent").textContent = name || agentId || source;
    item.querySelector(".agent").title = agentId;
    item.querySelector(".mrd").textContent = media?.name || this.#board.agents.mrdNameOf(mrdId) || mrdId;
    item.classList.toggle("unnamed", !name);
  }

  #toggled(details) {
    const notification = this.#notifications.get(details.closest("li"));
    const pre = details.querySelector("pre");
    if (details.open && !pre.textContent) pre.textContent = prettyPrint(notification.xml);
  }

  async #clicked(target) {
    const button = target.closest("[data-action=copy]");
    if (!button) return;
    const isCopied = await copyText(button.parentElement.querySelector("pre"));
    button.textContent = isCopied ? "Copied" : "Selected";
    this.#announce(isCopied ? "The XML was copied" : "The XML is selected; copy it with the keyboard");
    setTimeout(() => (button.textContent = "Copy"), 2000);
  }
}

function fillTime(element, at) {
  if (Number.isNaN(at)) return;
  element.dateTime = new Date(at).toISOString();
  element.title = formatDateAndTime(at);
  element.textContent = formatMoment(at);
}
