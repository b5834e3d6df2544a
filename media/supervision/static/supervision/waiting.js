import { placeInQueue } from "../board/queue.js";
import { getJson, postJson, RefusedError } from "./asking.js";

const REFRESH_DELAY_MS = 200;
const WORDS = { READY: "ready", NOT_READY: "not ready", ROUTABLE: "routable", NOT_ROUTABLE: "not routable", LOGOUT: "sign out", FORCED_LOGOUT: "sign out" };

/** The changes that wait until the state rules allow them or a place is free, each with a button that cancels it. */
export class Waiting {
  #root;
  #url;
  #onChange;
  #timer = 0;
  /** The numbers of the last question, and of the last answer: the answer to an earlier one may come later. */
  #asked = 0;
  #answered = 0;
  #found = [];

  constructor(root, { url, onChange }) {
    this.#root = root;
    this.#url = url;
    this.#onChange = onChange;
    root.addEventListener("click", ({ target }) => target.dataset.cancel && this.#cancel(target.dataset.cancel));
  }

  get isEmpty() {
    return this.#found.length === 0;
  }

  refreshSoon() {
    this.#timer ||= setTimeout(() => {
      this.#timer = 0;
      this.#refresh();
    }, REFRESH_DELAY_MS);
  }

  async #refresh() {
    const turn = ++this.#asked;
    try {
      const { waiting } = await getJson(this.#url);
      if (turn < this.#answered) return;
      this.#answered = turn;
      this.#found = waiting;
    } catch {
      // The connection says so itself, and asks again when it is back.
      return;
    }
    this.#root.hidden = this.isEmpty;
    this.#show();
    this.#onChange();
  }

  /** The focus stays at its item; at the one in its place if that is gone. */
  #show() {
    const list = this.#root.querySelector("[data-part=list]");
    const before = [...list.querySelectorAll("button")];
    const place = before.indexOf(document.activeElement);
    list.replaceChildren(...this.#found.map(itemOf));
    if (place < 0) return;
    const buttons = [...list.querySelectorAll("button")];
    const same = buttons.find(({ dataset }) => dataset.cancel === before[place].dataset.cancel);
    (same ?? buttons[place] ?? buttons.at(-1))?.focus({ preventScroll: true });
  }

  async #cancel(id) {
    try {
      await postJson(`${this.#url}${id}/cancel/`);
    } catch (error) {
      if (!(error instanceof RefusedError)) return;
    }
    this.refreshSoon();
  }
}

function itemOf({ id, userId, userName, mrdId, mrdName, requested, actorName, note, place, placeOf, ReasonCode: reason }) {
  const item = document.createElement("li");
  item.dataset.testid = `waiting-${userId}-${mrdId ?? "desktop"}`;
  const because = reason ? ` (${reason.label})` : "";
  const text = document.createElement("span");
  const when = place ? `as soon as a place is free, ${placeInQueue(place, placeOf)}` : "after this one";
  text.textContent = `${userName}, ${mrdName}: ${WORDS[requested] ?? requested}${because} ${when}, by ${actorName}${note ? `: “${note}”` : ""}`;
  const button = document.createElement("button");
  Object.assign(button, { type: "button", className: "button", textContent: "Cancel", ariaLabel: `Cancel what waits for ${userName}, ${mrdName}` });
  button.dataset.cancel = id;
  item.append(text, button);
  return item;
}
