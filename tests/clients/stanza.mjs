// stanza, over WebSocket or BOSH: by the address that it is given.

import * as XMPP from "stanza";

import { options, pubsub, Recipient, run } from "./program.mjs";

const NS_PUBSUB = "http://jabber.org/protocol/pubsub";
const { service, login, password, domain, resource } = options;
const transport = service.startsWith("ws") ? "websocket" : "bosh";

class Client {
  #recipient = new Recipient(this);
  #library = XMPP.createClient({
    jid: `${login}@${domain}`,
    resource,
    password,
    transports: { [transport]: service },
    autoReconnect: true,
    maxReconnectBackoff: 1,
  });

  constructor() {
    const library = this.#library;
    library.use((_, stanzas) =>
      stanzas.define({
        aliases: XMPP.JXT.pubsubItemContentAliases(),
        element: "notification",
        namespace: NS_PUBSUB,
        type: NS_PUBSUB,
        fields: { update: XMPP.JXT.text() },
      }),
    );
    library.on("session:started", () => {
      // Requests that programs with this library send: for the roster, and pings, as those of its
      // enableKeepAlive(). That itself is not used: a ping that was lost with one connection ends
      // the next one fifteen seconds later.
      for (const asked of [library.getRoster(), library.ping()]) {
        asked.catch((error) => this.#recipient.error(error.error?.condition ?? error));
      }
      library.sendPresence();
      this.#recipient.online(library.jid);
    });
    library.on("pubsub:published", ({ pubsub: { items } }) =>
      itemsIn(items.node, items.published).forEach((item) => this.#recipient.notification(item)),
    );
    library.on("disconnected", () => this.#recipient.offline());
    library.on("auth:failed", () => this.#recipient.error("authentication failed"));
    library.on("stream:error", (error) => this.#recipient.error(error.condition));
  }

  connect() {
    this.#library.connect();
  }

  async fetch(node, after) {
    try {
      const found = await this.#library.getItems(pubsub, node, { after: String(after) });
      return itemsIn(node, found.items);
    } catch (error) {
      throw error.error ? new Error(error.error.condition) : error;
    }
  }

  async stop() {
    const gone = new Promise((resolve) => this.#library.once("disconnected", resolve));
    await this.#library.disconnect();
    await gone;
  }
}

function itemsIn(node, items = []) {
  return items.map(({ id, content }) => ({ node, id, update: content.update }));
}

run(new Client());
