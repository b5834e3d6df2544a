import { Cell } from "./cell.js";
import { wordsOf } from "./words.js";

const USER = "/finesse/api/User/";

/** All agents whom the viewer sees, with a cell for each MRD and for the desktop. No page is needed. */
export class Agents {
  #meanings;
  #onCell;
  #onStructure;
  #agents = new Map();
  #cells = new Map();
  #mrds = new Map();
  #reasons = new Map();
  /** Names also of agents who have left. */
  #names = new Map();

  /** `onCell(cell)` when one has changed, `onStructure()` when agents or cells came, went or were renamed. */
  constructor(meanings, { onCell, onStructure }) {
    this.#meanings = meanings;
    this.#onCell = onCell;
    this.#onStructure = onStructure;
  }

  get all() {
    return this.#agents.values();
  }

  get cells() {
    return this.#cells.values();
  }

  cellOf(source) {
    return this.#cells.get(source);
  }

  agentOf(id) {
    return this.#agents.get(id);
  }

  /** An agent's name, also after the agent has left the board; empty when it was never known. */
  nameOf(id) {
    return this.#names.get(id) ?? "";
  }

  /** The label of a reason that somebody has been in. */
  reasonNameOf(id) {
    return this.#reasons.get(id) ?? "";
  }

  mrdNameOf(id) {
    return this.#mrds.get(id) ?? "";
  }

  /** Become equal to a snapshot, which is as of `position`. */
  replace({ users, mrds, media, position }) {
    this.#mrds = new Map(Object.entries(mrds));
    const sources = new Set(media.map(({ source }) => source));
    for (const user of users) if (user.desktop) sources.add(USER + user.id);
    for (const cell of [...this.#cells.values()]) if (!sources.has(cell.source)) this.#remove(cell);
    for (const user of users) {
      this.#takeAgent(user, position);
      if (user.desktop) this.#takeCell(USER + user.id, user.id, null, user.desktop, position);
    }
    for (const one of media) this.#takeCell(one.source, one.user, one.mrd, one, position);
    this.#onStructure();
  }

  #takeAgent({ id, name, team, mayAct }, position) {
    const agent = this.#agents.get(id) ?? { id, cells: new Map(), mayAct: false };
    this.#agents.set(id, agent);
    Object.assign(agent, { name: name || id, team: team ?? "", position });
    if (mayAct !== undefined) agent.mayAct = mayAct;
    agent.words = wordsOf(agent.name) + wordsOf(id) + wordsOf(agent.team);
    this.#names.set(id, agent.name);
    for (const cell of agent.cells.values()) cell.noteWords();
    return agent;
  }

  #takeCell(source, agentId, mrdId, found, position) {
    const agent = this.#agents.get(agentId);
    const cell = this.#cells.get(source) ?? this.#add(source, agent, mrdId);
    if (mrdId) cell.mrd.name = this.#mrds.get(mrdId) ?? mrdId;
    this.#give(cell, { ...found, changedAt: found.since }, position);
    this.#onCell(cell);
  }

  #give(cell, found, position) {
    cell.take(found, position);
    if (cell.reason) this.#reasons.set(cell.reason.id, cell.reason.label);
  }

  #add(source, agent, mrdId) {
    const mrd = mrdId === null ? null : { id: mrdId, name: mrdId };
    const cell = new Cell({ source, agent, mrd, meanings: this.#meanings });
    this.#cells.set(source, cell);
    agent.cells.set(cell.mrd.id, cell);
    return cell;
  }

  #remove(cell) {
    this.#cells.delete(cell.source);
    cell.agent.cells.delete(cell.mrd.id);
    if (!cell.agent.cells.size) this.#agents.delete(cell.agent.id);
  }

  /** Apply a notification. False when what it is about is not known, and has to be loaded. */
  change(notification) {
    const { source, event, agentId, media, user, errors } = notification;
    if (errors.length) return true;
    if (event === "DELETE") return this.#delete(source, agentId, Boolean(notification.mrdId));
    if (user) return this.#changeUser(notification);
    return media ? this.#changeMedia(notification) : true;
  }

  #delete(source, agentId, isMedia) {
    const gone = isMedia ? [this.#cells.get(source)] : [...(this.#agents.get(agentId)?.cells.values() ?? [])];
    gone.filter(Boolean).forEach((cell) => this.#remove(cell));
    this.#onStructure();
    return true;
  }

  #changeMedia({ source, media, context, position }) {
    const cell = this.#cells.get(source);
    if (!cell) return false;
    if (position <= cell.position) return true;
    if (media.name && media.name !== cell.mrd.name) {
      this.#mrds.set(cell.mrd.id, media.name);
      cell.mrd.name = media.name;
      this.#onStructure();
    }
    this.#change(cell, media, context, position);
    return true;
  }

  #changeUser({ source, agentId, user, context, position }) {
    const agent = this.#agents.get(agentId);
    this.#names.set(agentId, user.name);
    if (!agent) return user.state === "LOGOUT";
    if (position > agent.position) {
      this.#takeAgent({ id: agentId, name: user.name, team: user.team }, position);
      this.#onStructure();
    }
    const desktop = this.#cells.get(source);
    if (!desktop && (user.state === "LOGOUT" || user.changedAt === null)) return true;
    if (desktop && position <= desktop.position) return true;
    if (!desktop) this.#onStructure();
    this.#change(desktop ?? this.#add(source, agent, null), user, context, position);
    return true;
  }

  #change(cell, found, context, position) {
    // Other data of a Media or a User may have changed, and the state is still the same one.
    const isSame = !context && cell.state === found.state && cell.changedAt === found.changedAt;
    const by = isSame ? cell.by : context;
    const reason = isSame && found.state === "LOGOUT" ? cell.reason : (found.reason ?? context?.reason ?? null);
    this.#give(cell, { ...found, reason, by }, position);
    this.#onCell(cell, { isNews: true });
  }
}
