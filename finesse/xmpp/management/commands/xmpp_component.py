"""`manage.py xmpp_component`: the component on an XMPP server, as a process of its own."""

import asyncio
import contextlib
import signal
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from finesse import running
from finesse.xmpp import stand_by
from finesse.xmpp.component import run_component

SIGN_OF_LIFE_SECONDS = 1.0
"""Pause between two signs of life."""


class Command(BaseCommand):
    help = "Be pubsub.<domain> on the XMPP server at FINESSE_XMPP_COMPONENT."

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.FINESSE_XMPP_SECRET:
            raise CommandError(
                "FINESSE_XMPP_SECRET is not set: the component and the XMPP server authenticate "
                "each other by it."
            )
        if not settings.REDIS_URL:
            raise CommandError(
                "REDIS_URL is not set: a component in a process of its own needs Redis to reach "
                "the other processes. In the embedded default it runs in the one process: "
                "make run XMPP=1."
            )
        with contextlib.suppress(asyncio.CancelledError, KeyboardInterrupt):
            asyncio.run(_run_until_terminated())


async def _run_until_terminated() -> None:
    current = asyncio.current_task()
    assert current is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, current.cancel)
    showing_life = asyncio.create_task(_show_life())
    try:
        async with stand_by.turn():
            await run_component()
    finally:
        showing_life.cancel()


async def _show_life() -> None:
    """While the server is away or another component is connected, too: what waits is alive."""
    while True:
        running.show_life()
        await asyncio.sleep(SIGN_OF_LIFE_SECONDS)
