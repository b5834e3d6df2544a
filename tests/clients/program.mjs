// The common part of the client programs: arguments, commands from standard input, events to
// standard output (README.md), and receiving each notification exactly once.

import { createInterface } from "node:readline";

const [service, login, password, domain, resource] = process.argv.slice(2);

export const options = { service, login, password, domain, resource };
export const pubsub = `pubsub.${domain}`;

/** The pause before a client whose library does not reconnect by itself connects again. */
export const RETRY_DELAY_MS = 300;

const NODES = [
  `/finesse/api/User/${login}`,
  `/finesse/api/User/${login}/Media`,
  `/finesse/api/User/${login}/Dialogs/Media`,
  "/finesse/api/SystemInfo",
];

export function report(event, more = {}) {
  process.stdout.write(`${JSON.stringify({ event, ...more })}\n`);
}

/**
 * Run a client: `connect()`, `fetch(node, after)` for the items after an id, as a list of
 * {node, id, update}, and `stop()`. It passes the events of its library to the recipient.
 */
export function run(client) {
  const commands = {
    fetch: async ({ node, after }) => report("items", { items: await client.fetch(node, after) }),
    stop: async () => {
      await client.stop();
      process.exit(0);
    },
  };
  createInterface({ input: process.stdin })
    .on("line", (line) => {
      const command = JSON.parse(line);
      commands[command.do](command).catch((error) => report("error", { error: described(error) }));
    })
    // The process that started this program has ended.
    .on("close", () => process.exit(0));
  client.connect();
}

/** Receives each notification once and in order, also over lost connections. */
export class Recipient {
  #last = null;
  #held = null;
  #client;

  constructor(client) {
    this.#client = client;
  }

  /** Signed in, and presence sent. After a loss of the connection, fetch the missed notifications. */
  async online(address) {
    report("online", { address: String(address) });
    // The first time, or nothing came before the break. A real client reads the present state by GET here.
    if (this.#last === null) return;
    // New notifications wait until the missed ones have been taken.
    this.#held = [];
    try {
      const missed = (await Promise.all(NODES.map((node) => this.#after(node)))).flat();
      missed.sort((one, other) => one.id - other.id);
      missed.forEach((item) => this.#take(item, "retrieved"));
      this.#held.forEach((item) => this.#take(item, "live"));
      this.#held = null;
      report("current");
    } catch (error) {
      report("error", { error: described(error) });
      // Otherwise it was lost again: the next connection starts from the same place.
      if (described(error).includes("item-not-found")) this.#startAnew();
    }
  }

  /** What was missed cannot be had. A real client reads the present state by GET here. */
  #startAnew() {
    this.#last = null;
    this.#held.forEach((item) => this.#take(item, "live"));
    this.#held = null;
    report("reset");
  }

  notification(item) {
    if (this.#held === null) this.#take(item, "live");
    else this.#held.push(item);
  }

  offline(reason) {
    report("offline", { reason: described(reason) });
  }

  error(error) {
    report("error", { error: described(error) });
  }

  #take(item, how) {
    // Ids grow through the whole log.
    if (this.#last !== null && Number(item.id) <= this.#last) return;
    this.#last = Number(item.id);
    report("notification", { ...item, how });
  }

  async #after(node) {
    const found = [];
    for (let last = this.#last; ; last = found.at(-1).id) {
      const page = await this.#client.fetch(node, last);
      if (page.length === 0) return found;
      found.push(...page);
    }
  }
}

function described(error) {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error ?? "");
}
