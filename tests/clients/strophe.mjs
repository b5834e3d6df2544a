// strophe.js, over WebSocket or BOSH: by the address that it is given.

import { DOMParser } from "@xmldom/xmldom";
import { $iq, $pres, Strophe } from "strophe.js";
import XMLHttpRequest from "xhr2";

import { RETRY_DELAY_MS, options, pubsub, Recipient, run } from "./program.mjs";

// What browsers have and Node has not: BOSH is made of requests whose answers are parsed.
globalThis.XMLHttpRequest = class extends XMLHttpRequest {
  get responseXML() {
    const text = this.responseText;
    return text ? new DOMParser().parseFromString(text, "text/xml") : null;
  }
  set responseXML(_) {}
};

// Messages of lower levels would go to standard output.
Strophe.setLogLevel(Strophe.LogLevel.WARN);
Strophe.addNamespace("PUBSUB", "http://jabber.org/protocol/pubsub");

class Client {
  #connection = new Strophe.Connection(options.service);
  #recipient = new Recipient(this);
  #stopping = null;

  connect() {
    const { login, domain, resource, password } = options;
    const address = `${login}@${domain}/${resource}`;
    this.#connection.connect(address, password, (...status) => this.#on(...status));
  }

  #on(status, condition, failure) {
    const { Status } = Strophe;
    if (status === Status.CONNECTED) {
      this.#connection.addHandler((message) => this.#take(message), null, "message");
      this.#connection.send($pres().c("priority").t("0"));
      this.#recipient.online(this.#connection.jid);
    } else if (status === Status.DISCONNECTED) {
      this.#recipient.offline(condition);
      // Strophe does not reconnect by itself.
      if (this.#stopping) this.#stopping();
      else setTimeout(() => this.connect(), RETRY_DELAY_MS);
    } else if (status === Status.AUTHFAIL) {
      this.#recipient.error(`authentication failed: ${failure.firstElementChild?.tagName}`);
    } else if (status === Status.ERROR || status === Status.CONNFAIL) {
      this.#recipient.error(condition);
    }
  }

  #take(message) {
    items(message).forEach((item) => this.#recipient.notification(item));
    return true;
  }

  fetch(node, after) {
    const request = $iq({ type: "get", to: pubsub })
      .c("pubsub", { xmlns: Strophe.NS.PUBSUB })
      .c("items", { node })
      .up()
      .c("set", { xmlns: "http://jabber.org/protocol/rsm" })
      .c("after")
      .t(String(after));
    return new Promise((resolve, reject) => {
      this.#connection.sendIQ(
        request,
        (answer) => resolve(items(answer)),
        (answer) => reject(new Error(answer ? Strophe.serialize(answer) : "no answer")),
        10_000,
      );
    });
  }

  stop() {
    return new Promise((resolve) => {
      this.#stopping = resolve;
      this.#connection.disconnect();
    });
  }
}

function items(stanza) {
  const found = [];
  for (const notification of stanza.getElementsByTagName("notification")) {
    const item = notification.parentNode;
    found.push({
      node: item.parentNode.getAttribute("node"),
      id: item.getAttribute("id"),
      update: notification.textContent,
    });
  }
  return found;
}

run(new Client());
