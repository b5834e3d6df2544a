// @xmpp/client, over WebSocket or TCP: by the address that it is given.

import { client, xml } from "@xmpp/client";
import { WebSocket } from "ws";

import { options, pubsub, Recipient, run } from "./program.mjs";

// Node has it from version 22 on.
globalThis.WebSocket ??= WebSocket;

// @xmpp/iq looks after a request's answer only when the request has been written. An error that is
// answered sooner would end the process, though the request gets it all the same.
process.on("unhandledRejection", (error) => console.error("Not handled in time:", error));

const NS_PUBSUB = "http://jabber.org/protocol/pubsub";
const NS_PUBSUB_EVENT = "http://jabber.org/protocol/pubsub#event";

class Client {
  #recipient = new Recipient(this);
  #library;

  constructor() {
    const { service, domain, resource, login: username, password } = options;
    const library = client({ service, domain, resource, username, password });
    library.on("online", async (address) => {
      await library.send(xml("presence", {}, xml("priority", {}, "0")));
      this.#recipient.online(address);
    });
    library.on("stanza", (stanza) => {
      if (!stanza.is("message")) return;
      const event = stanza.getChild("event", NS_PUBSUB_EVENT);
      if (event) items(event).forEach((item) => this.#recipient.notification(item));
    });
    library.on("disconnect", () => this.#recipient.offline());
    library.on("error", (error) => this.#recipient.error(error));
    this.#library = library;
  }

  connect() {
    // A failure is reported by the error event, and the library tries again by itself.
    this.#library.start().catch(() => {});
  }

  async fetch(node, after) {
    const answer = await this.#library.iqCaller.request(
      xml(
        "iq",
        { type: "get", to: pubsub },
        xml(
          "pubsub",
          { xmlns: NS_PUBSUB },
          xml("items", { node }),
          xml("set", { xmlns: "http://jabber.org/protocol/rsm" }, xml("after", {}, String(after))),
        ),
      ),
      10_000,
    );
    return items(answer.getChild("pubsub", NS_PUBSUB));
  }

  stop() {
    return this.#library.stop();
  }
}

function items(parent) {
  const list = parent.getChild("items");
  return list.getChildren("item").map((item) => ({
    node: list.attrs.node,
    id: item.attrs.id,
    update: item.getChildText("notification"),
  }));
}

run(new Client());
