"""slixmpp, over TCP with STARTTLS: what README.md says of the programs here, in Python.

Its first argument is the host, its port and the file of an authority, separated by commas.
"""

import asyncio
import json
import sys
import threading
from typing import Any

from slixmpp import JID, ClientXMPP
from slixmpp.exceptions import IqError, IqTimeout
from slixmpp.plugins.xep_0059 import Set
from slixmpp.plugins.xep_0060.stanza import Pubsub
from slixmpp.xmlstream import register_stanza_plugin

Item = dict[str, Any]

# Result sets of items: its xep_0060 leaves this to others.
register_stanza_plugin(Pubsub, Set)


def report(event: str, **more: Any) -> None:
    print(json.dumps({"event": event, **more}), flush=True)


class Client(ClientXMPP):
    def __init__(self, service: str, login: str, password: str, domain: str, resource: str) -> None:
        super().__init__(f"{login}@{domain}/{resource}", password)
        self.register_plugin("xep_0059")
        self.register_plugin("xep_0060")
        host, port, self.ca_certs = service.split(",")
        self.place = host, int(port)
        self.enable_direct_tls = False
        self.pubsub = JID(f"pubsub.{domain}")
        user = f"/finesse/api/User/{login}"
        self.nodes = (user, f"{user}/Media", f"{user}/Dialogs/Media", "/finesse/api/SystemInfo")
        self.last: int | None = None
        self.held: list[Item] | None = None
        self.leaving = False
        for event, handler in (
            ("session_start", self._online),
            ("pubsub_publish", self._notified),
            ("disconnected", self._offline),
            ("failed_all_auth", lambda _: report("error", error="authentication failed")),
            ("stream_error", lambda error: report("error", error=error["condition"])),
        ):
            self.add_event_handler(event, handler)

    async def _online(self, _: Any) -> None:
        self.send_presence(ppriority=0)
        report("online", address=self.boundjid.full)
        if self.last is None:
            # The first time, or nothing came before the break. A real client reads the present
            # state by GET here.
            return
        self.held = []
        try:
            pages = [await self.fetch(node, self.last) for node in self.nodes]
        except (IqError, IqTimeout) as error:
            report("error", error=error.condition)
            # Otherwise it was lost again: the next connection starts from the same place.
            if error.condition == "item-not-found":
                self._start_anew()
            return
        for item in sorted((one for page in pages for one in page), key=lambda one: int(one["id"])):
            self._take(item, "retrieved")
        for item in self.held:
            self._take(item, "live")
        self.held = None
        report("current")

    def _start_anew(self) -> None:
        """What was missed cannot be had. A real client reads the present state by GET here."""
        held, self.held, self.last = self.held or [], None, None
        for item in held:
            self._take(item, "live")
        report("reset")

    async def fetch(self, node: str, after: int) -> list[Item]:
        # Its own iterator takes an error for the end, as if no notification had been missed.
        found: list[Item] = []
        while True:
            request = self.make_iq_get(ito=self.pubsub)
            request["pubsub"]["items"]["node"] = node
            request["pubsub"]["rsm"]["after"] = str(found[-1]["id"] if found else after)
            page = (await request.send())["pubsub"]["items"]
            if not len(page):
                return found
            found += [
                {"node": node, "id": item["id"], "update": item["payload"].text} for item in page
            ]

    def _notified(self, message: Any) -> None:
        items = message["pubsub_event"]["items"]
        item = items["item"]
        notification = {"node": items["node"], "id": item["id"], "update": item["payload"].text}
        if self.held is None:
            self._take(notification, "live")
        else:
            self.held.append(notification)

    def _take(self, item: Item, how: str) -> None:
        if self.last is None or int(item["id"]) > self.last:
            self.last = int(item["id"])
            report("notification", **item, how=how)

    def _offline(self, reason: Any) -> None:
        report("offline", reason=str(reason or ""))
        if not self.leaving:
            # From here on it tries until it succeeds.
            self.connect(*self.place)

    async def carry_out(self, command: dict[str, Any]) -> None:
        if command["do"] == "fetch":
            try:
                report("items", items=await self.fetch(command["node"], command["after"]))
            except (IqError, IqTimeout) as error:
                report("error", error=error.condition)
        else:
            self.leaving = True
            await self.disconnect()
            self.loop.stop()


def main() -> None:
    asyncio.set_event_loop(asyncio.new_event_loop())
    service, login, password, domain, resource = sys.argv[1:]
    client = Client(service, login, password, domain, resource)

    def listen() -> None:
        for line in sys.stdin:
            asyncio.run_coroutine_threadsafe(client.carry_out(json.loads(line)), client.loop)

    threading.Thread(target=listen, daemon=True).start()
    client.connect(*client.place)
    client.loop.run_forever()


main()
