import { postJson } from "./asking.js";

const NAMES_SHOWN = 2;
const FIRST = { CORRECT_REASON: "Choose…", NOT_READY: "Supervisor Initiated", LOGOUT: "Supervisor Initiated" };

/** The list of reasons: those that all of the chosen agents have, then those that some lack. */
export class Choices {
  #select;
  #url;
  #key = "";
  #act = "";
  /** What was asked for last. */
  #asked = null;
  #reasons = null;

  constructor(select, url) {
    this.#select = select;
    this.#url = url;
  }

  /** Whether the reasons of the agents that are chosen are there. */
  get isKnown() {
    return this.#reasons !== null;
  }

  /** Whether agents can wait for a place at the reason that is chosen. */
  get hasQueue() {
    const chosen = this.#reasons?.NOT_READY.find(({ id }) => String(id) === this.#select.value);
    return Boolean(chosen?.hasQueue);
  }

  /** Offer what there is for an act and the agents of these rows. */
  async show(act, rows) {
    this.#act = act;
    const agents = [...new Set(rows.map(({ agentId }) => agentId))].sort();
    const key = agents.join(" ");
    if (key !== this.#key) {
      this.#key = key;
      this.#reasons = null;
      const reasons = await this.#fetch(agents);
      if (!reasons) return;
      this.#reasons = reasons;
    }
    // Another act may have been chosen meanwhile.
    if (this.#reasons) this.#fill(this.#act);
  }

  /** Null if other agents have been chosen meanwhile. */
  async #fetch(agents) {
    const asked = {};
    this.#asked = asked;
    try {
      const { reasons } = await postJson(this.#url, { rows: agents.map((agentId) => ({ agentId, mrdId: null })) });
      return asked === this.#asked ? reasons : null;
    } catch (error) {
      if (asked !== this.#asked) return null;
      // The reasons of other agents are no choice, and the next time these are asked for again.
      this.#key = "";
      this.#select.replaceChildren();
      throw error;
    }
  }

  #fill(act) {
    const reasons = this.#reasons[act === "LOGOUT" ? "LOGOUT" : "NOT_READY"];
    const chosen = this.#select.value;
    const groups = [group("All have", reasons.filter(({ missing }) => !missing.length)), group("Not everybody has", reasons.filter(({ missing }) => missing.length))];
    this.#select.replaceChildren(new Option(FIRST[act], ""), ...groups.filter(Boolean));
    this.#select.required = act === "CORRECT_REASON";
    if (reasons.some(({ id }) => String(id) === chosen)) this.#select.value = chosen;
  }
}

function group(label, reasons) {
  if (!reasons.length) return null;
  const made = document.createElement("optgroup");
  made.label = label;
  made.append(...reasons.map(({ id, code, label: name, missing }) => new Option(`${name} (${code})${lacking(missing)}`, id)));
  return made;
}

function lacking(missing) {
  if (!missing.length) return "";
  const named = missing.slice(0, NAMES_SHOWN).join(", ");
  const others = missing.length - NAMES_SHOWN;
  return ` – not ${named}${others > 0 ? ` and ${others} more` : ""}`;
}
