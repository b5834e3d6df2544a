import { getJson } from "./asking.js";

/** “Why does Ana get nothing?”: one sentence for each MRD, asked for when it is opened. */
export class Why {
  #root;
  #url;
  #agentId = "";
  /** The number of what was asked last: an earlier answer may come later. */
  #turn = 0;

  constructor(root, url) {
    this.#root = root;
    this.#url = url;
    root.addEventListener("toggle", () => root.open && this.#load());
  }

  /** About this agent; empty for none, or for more than one. */
  show(agentId, name) {
    this.#root.hidden = !agentId;
    this.#root.querySelector("[data-part=name]").textContent = name;
    if (agentId === this.#agentId) return;
    this.#agentId = agentId;
    this.#list();
    if (agentId && this.#root.open) this.#load();
  }

  /** The agent's states have changed. */
  poke(agentId) {
    if (agentId === this.#agentId && this.#root.open) this.#load();
  }

  async #load() {
    const [id, turn] = [this.#agentId, ++this.#turn];
    const zone = encodeURIComponent(Intl.DateTimeFormat().resolvedOptions().timeZone ?? "");
    let sentences;
    try {
      ({ sentences } = await getJson(`${this.#url.replace(/-\/$/, `${encodeURIComponent(id)}/`)}?zone=${zone}`));
    } catch (error) {
      sentences = [error.message];
    }
    if (id === this.#agentId && turn === this.#turn) this.#list(sentences);
  }

  #list(sentences = []) {
    const items = sentences.map((sentence) => Object.assign(document.createElement("li"), { textContent: sentence }));
    this.#root.querySelector("ul").replaceChildren(...items);
  }
}
