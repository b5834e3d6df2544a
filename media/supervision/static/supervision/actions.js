import { fromTemplate } from "../board/template.js";
import { newId, persist } from "./asking.js";
import { Choices } from "./choices.js";
import { confirmed, isToBeConfirmed } from "./confirming.js";
import { Result } from "./result.js";
import { Waiting } from "./waiting.js";
import { Why } from "./why.js";

const WITH_REASON = new Set(["NOT_READY", "LOGOUT", "CORRECT_REASON"]);

/** The panel that acts on what is chosen on the board. Without its template, as for agents, there is none. */
export function actionsFor(board, root) {
  return document.querySelector("#actions-template") ? new Actions(root, board) : {};
}

class Actions {
  #place;
  #board;
  #url;
  /** What was asked for last: the same may be asked for again, for what has to wait. */
  #last = null;
  #rows = [];
  #act = "";
  #isSending = false;
  #choices;
  #result;
  #waiting;
  #why;

  constructor(root, board) {
    this.#board = board;
    this.#place = root.querySelector("#actions");
    this.#place.replaceChildren(fromTemplate("actions-template"));
    const { actionsUrl, choicesUrl, waitingUrl, whyUrl } = this.#place.firstElementChild.dataset;
    this.#choices = new Choices(this.#form.elements.reason, choicesUrl);
    this.#result = new Result(this.#find("result"), {
      url: actionsUrl,
      nameOf: (row) => this.#nameOf(row),
      onLater: (rows) => this.#send({ ...this.#last, id: newId(), rows: rows.map(plain), whole: false, later: true, queue: false }),
    });
    this.#waiting = new Waiting(this.#find("waiting"), { url: waitingUrl, onChange: () => this.#showPlace() });
    this.#why = new Why(this.#find("why"), whyUrl);
    this.#url = actionsUrl;
    root.addEventListener("selection", ({ detail }) => this.#choose(detail));
    this.#find("acts").addEventListener("click", ({ target }) => this.#press(target.closest("[data-act]")?.dataset.act));
    this.#form.elements.reason.addEventListener("change", () => this.#showQueue());
    this.#form.addEventListener("submit", (event) => this.#submitted(event));
    this.#place.addEventListener("click", ({ target }) => target.closest("[data-do=clear]") && board.selection.clear());
    this.#place.addEventListener("click", ({ target }) => target.closest("[data-do=close]") && this.#showPlace());
  }

  /** A part of the page (see board/parts.js). */
  notification({ source, agentId }) {
    if (source.includes("/WaitingChanges/")) this.#waiting.refreshSoon();
    this.#result.poke(agentId);
    this.#why.poke(agentId);
  }

  state(name) {
    if (name === "live") this.#waiting.refreshSoon();
  }

  // --- What is chosen -----------------------------------------------------------------------------

  #choose(rows) {
    this.#rows = rows;
    const agents = this.#agents;
    const name = agents.length === 1 ? this.#board.agents.nameOf(agents[0]) : "";
    this.#find("acting").hidden = rows.length === 0;
    this.#find("title").textContent = name ? `${name}: ${counted(rows.length, "row")}` : `${counted(rows.length, "row")} of ${counted(agents.length, "agent")}`;
    this.#why.show(agents.length === 1 ? agents[0] : "", name);
    this.#showPlace();
    if (rows.length) this.#showReasons();
  }

  get #agents() {
    return [...new Set(this.#rows.map(({ agentId }) => agentId))];
  }

  #press(act) {
    if (!act) return;
    this.#act = this.#act === act ? "" : act;
    for (const button of this.#find("acts").children) button.ariaPressed = String(button.dataset.act === this.#act);
    this.#form.hidden = !this.#act;
    this.#showReasons();
  }

  async #showReasons() {
    const isAsked = WITH_REASON.has(this.#act);
    this.#find("reason-field").hidden = !isAsked;
    this.#form.elements.reason.disabled = !isAsked;
    this.#showQueue();
    try {
      const shown = isAsked && this.#choices.show(this.#act, this.#rows);
      this.#allow();
      await shown;
      this.#showQueue();
    } catch (error) {
      // An action without a reason may have been chosen meanwhile.
      if (WITH_REASON.has(this.#act)) this.#closeWithout(error);
    } finally {
      this.#allow();
    }
  }

  #closeWithout(error) {
    if (this.#find("result").hidden) this.#result.begin(0);
    this.#result.fail(`The reasons cannot be shown. ${error.message} Press the action once more to try again.`);
    this.#press(this.#act);
  }

  /** What was asked for last is still under way, or the reasons of these agents are not known yet. */
  #allow() {
    this.#find("apply").disabled = this.#isSending || (WITH_REASON.has(this.#act) && !this.#choices.isKnown);
  }

  /** Where the break rule has a queue: without waiting in it a supervisor goes beyond the rule. */
  #showQueue() {
    this.#find("queue-field").hidden = this.#act !== "NOT_READY" || !this.#choices.hasQueue;
  }

  // --- Doing it -----------------------------------------------------------------------------------

  async #submitted(event) {
    event.preventDefault();
    const { reason, note, scope } = this.#form.elements;
    const [act, rows, isWhole] = [this.#act, this.#rows, scope.value === "whole"];
    if (!rows.length) return;
    const agents = this.#agents;
    const question = { act, agents: agents.length, whom: this.#board.agents.nameOf(agents[0]), isWhole };
    // As the form is now: during the question agents may leave what is chosen.
    const asked = {
      id: newId(),
      requested: act,
      rows: rows.map(plain),
      whole: isWhole,
      reasonCode: WITH_REASON.has(act) && reason.value ? Number(reason.value) : null,
      note: note.value,
      later: false,
      queue: !this.#find("queue-field").hidden && this.#form.elements.queue.checked,
    };
    if (isToBeConfirmed(act, agents.length) && !(await confirmed(this.#find("confirm"), question))) return;
    // Before the answer, which may take long: what is filled in meanwhile is another act's.
    note.value = "";
    if (this.#act === act) this.#press(act);
    await this.#send(asked);
  }

  async #send(asked) {
    this.#last = asked;
    this.#result.begin(asked.rows.length);
    this.#showPlace();
    this.#isSending = true;
    this.#allow();
    try {
      this.#result.show(await persist(this.#url, asked, { onWait: () => this.#result.say("The server does not answer; trying again…") }));
    } catch (error) {
      this.#result.fail(error.message);
    } finally {
      this.#isSending = false;
      this.#allow();
    }
  }

  // --- The page -----------------------------------------------------------------------------------

  #showPlace() {
    this.#place.hidden = !this.#rows.length && this.#waiting.isEmpty && this.#find("result").hidden;
  }

  #nameOf({ agentId, mrdId }) {
    const { agents } = this.#board;
    return `${agents.nameOf(agentId) || agentId}, ${mrdId === null ? "desktop" : agents.mrdNameOf(String(mrdId)) || mrdId}`;
  }

  get #form() {
    return this.#find("form");
  }

  #find(part) {
    return this.#place.querySelector(`[data-part=${part}]`);
  }
}

function plain({ agentId, mrdId }) {
  return { agentId, mrdId: mrdId === null ? null : Number(mrdId) };
}

function counted(number, word) {
  return `${number.toLocaleString("en-GB")} ${word}${number === 1 ? "" : "s"}`;
}
