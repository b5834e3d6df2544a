"""Prosody as a child of `manage.py run`: started, watched, ended."""

import asyncio
import contextlib
import logging
import os
import re
import shutil
import signal
import socket
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path

from finesse.private_files import replace_file
from finesse.xmpp.prosody.configuration import Configuration, component_address

logger = logging.getLogger(__name__)

PATIENCE = 3
"""Seconds that a child has to take leave of its clients."""
LAST_WORDS = 10
"""Lines of a child that ended by itself that tell why."""
DAY = 24 * 3600
REST = 1.0
"""Seconds before a child that ended by itself is started again."""

_LOG_LINE = re.compile(r"(?P<source>\S+)\s+(?P<level>warn|error)\t(?P<text>.*)")
_LEVELS = {"warn": logging.WARNING, "error": logging.ERROR}


def find() -> str | None:
    """The program; None if it is not installed."""
    return shutil.which("prosody")


def taken(configuration: Configuration) -> tuple[str, int] | None:
    """The first address and port of a child that somebody has already.

    Prosody itself would log it and go on without.
    """
    for host, port in configuration.listens_at():
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        try:
            socket.create_server(("" if host == "*" else host, port), family=family).close()
        except OSError:
            return host, port
    return None


async def keep_running(configuration: Configuration, renew: Callable[[], object]) -> None:
    """Run a child until cancelled; one that ends by itself is started again.

    It ends with this process, whatever ends it: see `mod_finesse_child.lua`. Once a day, `renew`
    is called to see to the certificate's files, and the child reads them anew.
    """
    assert configuration.folder is not None
    file = configuration.folder / "prosody.cfg.lua"
    replace_file(file, configuration.render())
    told: Sequence[str] = ()
    while True:
        try:
            child = await _start(file)
        except OSError as error:
            logger.error("Prosody cannot be started: %s", error)
        else:
            renewing = asyncio.create_task(_renew(child, renew))
            try:
                last = await _log(child)
            finally:
                renewing.cancel()
                await _end(child)
            logger.error("Prosody has ended (status %s) and is started again", child.returncode)
            if child.returncode and last != told:
                logger.error("Its last words:\n%s", "\n".join(last))
                told = last
        await asyncio.sleep(REST)


async def listening() -> None:
    """Until it takes components; a component that asks before has something to complain about."""
    host, port = component_address()
    while True:
        try:
            _, writer = await asyncio.open_connection(host, port)
        except OSError:
            await asyncio.sleep(0.02)
        else:
            writer.close()
            return


async def _start(file: Path) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        find() or "prosody",
        "-F",
        "--config",
        file,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        cwd=file.parent,
        # Not what this process has in its own, secrets among it.
        env={"PATH": os.environ.get("PATH", os.defpath), "HOME": str(file.parent)},
        # Ctrl-C is for this process, which then takes leave in order.
        start_new_session=True,
    )


async def _log(child: asyncio.subprocess.Process) -> Sequence[str]:
    """Its warnings and errors become this service's, until it says nothing more; its last lines."""
    assert child.stdout is not None
    last: deque[str] = deque(maxlen=LAST_WORDS)
    while True:
        try:
            line = await child.stdout.readline()
        except ValueError:
            continue  # Longer than what is kept of a line, which is dropped.
        if not line:
            return last
        text = line.decode(errors="replace").rstrip()
        if match := _LOG_LINE.fullmatch(text):
            logger.log(_LEVELS[match["level"]], "Prosody, %s: %s", match["source"], match["text"])
        if text:
            last.append(text)


async def _renew(child: asyncio.subprocess.Process, renew: Callable[[], object]) -> None:
    while True:
        await asyncio.sleep(DAY)
        try:
            await asyncio.to_thread(renew)
        except (OSError, ValueError):
            logger.exception("The certificate cannot be renewed; Prosody shows the former one")
        else:
            child.send_signal(signal.SIGHUP)


async def _end(child: asyncio.subprocess.Process) -> None:
    assert child.stdin is not None
    # What it takes for the end of this process.
    child.stdin.close()
    try:
        async with asyncio.timeout(PATIENCE):
            await child.wait()
    except TimeoutError:
        logger.warning("Prosody did not stop in time")
        with contextlib.suppress(ProcessLookupError):
            child.kill()
        await child.wait()
