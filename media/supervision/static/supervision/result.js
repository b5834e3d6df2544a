import { getJson, NoAnswerError, postJson, RefusedError } from "./asking.js";

const LOOK_AGAIN_MS = 700;
const SOON_MS = 120;
const WORDS = { changed: "changed", ignored: "was so already", pending: "…", waiting: "waits until the rules allow it", refused: "refused", error: "failed" };

/** What an action has come to: progress, a result for each row, undo for a while, “after this one”. */
export class Result {
  #root;
  #url;
  #nameOf;
  #onLater;
  #action = null;
  #timer = 0;
  #countdown = 0;

  /** `nameOf(row)` says agent and MRD; `onLater(rows)` lets these wait for their turn. */
  constructor(root, { url, nameOf, onLater }) {
    this.#root = root;
    this.#url = url;
    this.#nameOf = nameOf;
    this.#onLater = onLater;
    root.addEventListener("click", ({ target }) => this.#pressed(target.closest("[data-do]")?.dataset.do));
  }

  #find(part) {
    return this.#root.querySelector(`[data-part=${part}]`);
  }

  begin(total) {
    clearTimeout(this.#timer);
    clearInterval(this.#countdown);
    this.#action = null;
    this.#root.hidden = false;
    this.#say(`Applying to ${count(total, "row")}…`);
    this.#find("progress").max = total;
    this.#find("progress").value = 0;
    this.#find("progress").hidden = false;
    this.#find("rows").replaceChildren();
    for (const name of ["undo", "later"]) this.#button(name).hidden = true;
  }

  say(text) {
    this.#say(text);
  }

  /** It did not come about at all. */
  fail(text) {
    this.#find("progress").hidden = true;
    this.#say(text);
  }

  /** Show the answer, and look again until each row has its outcome. */
  show(action) {
    this.#action = action;
    const done = action.rows.length - action.pending;
    this.#find("progress").max = action.rows.length;
    this.#find("progress").value = done;
    this.#find("progress").hidden = action.pending === 0;
    this.#say(action.pending ? `${done} of ${count(action.rows.length, "row")} done…` : summaryOf(action));
    this.#find("rows").replaceChildren(...action.rows.map((row) => this.#rowOf(row)));
    this.#offerLater(action);
    if (action.pending) this.#lookIn(LOOK_AGAIN_MS);
    else this.#offerUndo(action);
  }

  /** Something has changed that may be an outcome. */
  poke(agentId) {
    if (this.#action?.pending && this.#action.rows.some((row) => row.agentId === agentId)) this.#lookIn(SOON_MS);
  }

  #lookIn(delay) {
    clearTimeout(this.#timer);
    const { id } = this.#action;
    this.#timer = setTimeout(() => this.#look(id), delay);
  }

  async #look(id) {
    try {
      const action = await getJson(`${this.#url}${id}/`);
      if (this.#action?.id === id) this.show(action);
    } catch (error) {
      if (this.#action?.id !== id) return;
      if (error instanceof NoAnswerError) this.#lookIn(LOOK_AGAIN_MS);
      else this.fail(error.message);
    }
  }

  #rowOf(row) {
    const element = document.createElement("li");
    element.dataset.result = row.result;
    element.dataset.testid = `result-${row.agentId}-${row.mrdId ?? "desktop"}`;
    const name = document.createElement("span");
    name.textContent = this.#nameOf(row);
    const words = document.createElement("span");
    words.textContent = row.undone || row.message || WORDS[row.result];
    element.append(name, ": ", words);
    return element;
  }

  #offerLater({ rows, undone }) {
    const waiting = undone ? [] : rows.filter(({ mayWait }) => mayWait);
    const button = this.#button("later");
    button.hidden = waiting.length === 0;
    button.textContent = waiting.length === 1 ? "After this one" : `After this one (${waiting.length} rows)`;
  }

  #offerUndo({ rows, undone, undoSeconds }) {
    clearInterval(this.#countdown);
    const button = this.#button("undo");
    button.hidden = undone || !rows.some(({ result }) => result === "changed" || result === "waiting");
    if (button.hidden) return;
    let left = undoSeconds;
    const seconds = this.#find("seconds");
    const tick = () => {
      seconds.textContent = `(${left})`;
      if (left <= 0) this.#endUndo();
      left -= 1;
    };
    tick();
    this.#countdown = setInterval(tick, 1_000);
  }

  #endUndo() {
    clearInterval(this.#countdown);
    this.#button("undo").hidden = true;
  }

  async #undo() {
    const { id } = this.#action;
    this.#endUndo();
    this.#say("Undoing…");
    try {
      const action = await postJson(`${this.#url}${id}/undo/`);
      // Another action may have been sent meanwhile.
      if (this.#action?.id === id) this.show(action);
    } catch (error) {
      if (this.#action?.id !== id) return;
      this.#say(error instanceof RefusedError ? error.message : "The server does not answer: look at the board.");
    }
  }

  #pressed(what) {
    if (what === "undo") this.#undo();
    if (what === "later") this.#onLater(this.#action.rows.filter(({ mayWait }) => mayWait));
    if (what === "close") this.#close();
  }

  #close() {
    this.#endUndo();
    clearTimeout(this.#timer);
    this.#action = null;
    this.#root.hidden = true;
  }

  #button(name) {
    return this.#root.querySelector(`[data-do=${name}]`);
  }

  #say(text) {
    this.#find("summary").textContent = text;
  }
}

function summaryOf({ rows, undone }) {
  if (undone) {
    const back = rows.filter(({ undone: words }) => words === "As before").length;
    return `Undone: ${back} of ${count(rows.length, "row")} as before.`;
  }
  const counts = new Map();
  for (const { result } of rows) counts.set(result, (counts.get(result) ?? 0) + 1);
  return `${[...counts].map(([result, number]) => `${number} ${SUMMED[result]}`).join(", ")}.`;
}

const SUMMED = { changed: "changed", ignored: "were so already", waiting: "waiting", refused: "refused", error: "failed", pending: "pending" };

function count(number, word) {
  return `${number.toLocaleString("en-GB")} ${word}${number === 1 ? "" : "s"}`;
}
