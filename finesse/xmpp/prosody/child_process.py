"""Runs Prosody as a child process of `manage.py run`."""

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

STOP_TIMEOUT_SECONDS = 3
"""The child has this time to close the connections of its clients."""
LAST_LINES_LOGGED = 10
"""Of a child that ended by itself."""
CERTIFICATE_CHECK_SECONDS = 24 * 3600
RESTART_PAUSE_SECONDS = 1.0
"""Before a child that ended by itself is started again."""

_LOG_LINE = re.compile(r"(?P<source>\S+)\s+(?P<level>warn|error)\t(?P<text>.*)")
_LEVELS = {"warn": logging.WARNING, "error": logging.ERROR}


def find() -> str | None:
    """Path of the program; None if it is not installed."""
    return shutil.which("prosody")


def taken(configuration: Configuration) -> tuple[str, int] | None:
    """The first of the configured addresses and ports that is in use already, or None.

    Prosody itself would log the conflict and run without that port.
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

    The child ends with this process, whatever ends it: see `mod_finesse_child.lua`. Once a day,
    `renew` is called to renew the certificate's files, and the child reads them again.
    """
    assert configuration.folder is not None
    file = configuration.folder / "prosody.cfg.lua"
    replace_file(file, configuration.render())
    logged: Sequence[str] = ()
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
            if child.returncode and last != logged:
                logger.error("Its last lines:\n%s", "\n".join(last))
                logged = last
        await asyncio.sleep(RESTART_PAUSE_SECONDS)


async def listening() -> None:
    """Wait until Prosody accepts components; one that connected earlier would log an error."""
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
        # This process's own environment contains secrets.
        env={"PATH": os.environ.get("PATH", os.defpath), "HOME": str(file.parent)},
        # Ctrl-C is for this process alone, which then ends its child in order.
        start_new_session=True,
    )


async def _log(child: asyncio.subprocess.Process) -> Sequence[str]:
    """Log the child's warnings and errors until it ends; returns its last lines."""
    assert child.stdout is not None
    last: deque[str] = deque(maxlen=LAST_LINES_LOGGED)
    while True:
        try:
            line = await child.stdout.readline()
        except ValueError:
            continue  # The line was longer than the stream's buffer, and has been dropped.
        if not line:
            return last
        text = line.decode(errors="replace").rstrip()
        if match := _LOG_LINE.fullmatch(text):
            logger.log(_LEVELS[match["level"]], "Prosody, %s: %s", match["source"], match["text"])
        if text:
            last.append(text)


async def _renew(child: asyncio.subprocess.Process, renew: Callable[[], object]) -> None:
    while True:
        await asyncio.sleep(CERTIFICATE_CHECK_SECONDS)
        try:
            await asyncio.to_thread(renew)
        except (OSError, ValueError):
            logger.exception("The certificate cannot be renewed; Prosody shows the former one")
        else:
            child.send_signal(signal.SIGHUP)


async def _end(child: asyncio.subprocess.Process) -> None:
    assert child.stdin is not None
    # The child takes this for the end of this process.
    child.stdin.close()
    try:
        async with asyncio.timeout(STOP_TIMEOUT_SECONDS):
            await child.wait()
    except TimeoutError:
        logger.warning("Prosody did not stop in time")
        with contextlib.suppress(ProcessLookupError):
            child.kill()
        await child.wait()
