"""Deadlines of an event loop, of which a test wants to know whether they still run."""

import asyncio
from typing import Any

import pytest


def noted_calls_later(
    monkeypatch: pytest.MonkeyPatch, *, seconds: float
) -> list[asyncio.TimerHandle]:
    """All calls that the running loop is asked for after so many seconds, from now on."""
    loop = asyncio.get_running_loop()
    call_later = loop.call_later
    found: list[asyncio.TimerHandle] = []

    def noted(delay: float, *args: Any, **options: Any) -> asyncio.TimerHandle:
        handle = call_later(delay, *args, **options)
        if delay == seconds:
            found.append(handle)
        return handle

    monkeypatch.setattr(loop, "call_later", noted)
    return found
