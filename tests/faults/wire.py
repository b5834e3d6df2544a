"""Wires of their own: pairs of network devices whose far ends are in a namespace of the kernel.

A proxy that listens at the far end is as good as on another machine: when the wire is cut, nothing
arrives and nobody is told. It needs root and `ip`; without them proxies listen on loopback.
"""

import ctypes
import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import TypeVar

NETWORK = 1 << 30
"""CLONE_NEWNET."""
FLAP_SECONDS = 0.1
"""A flapping wire is cut for so long and whole for so long. What is sent meanwhile is lost."""
_numbers = count()
Made = TypeVar("Made")


class Wire:
    """One wire, and a namespace at its far end. Raises OSError if the machine does not allow it."""

    def __init__(self) -> None:
        number = next(_numbers)
        self._namespace = f"faults-{os.getpid()}-{number}"
        self._near, self._far = (f"f{os.getpid() % 10**7}-{number}{end}" for end in "ab")
        # Of the addresses for tests of networks (RFC 2544); 64 set-ups beside one another.
        base = f"198.18.{os.getpid() % 64 * 4 + number // 64 % 4}"
        first = number % 64 * 4
        self._here, self.address = f"{base}.{first + 1}", f"{base}.{first + 2}"
        self._flapping: threading.Thread | None = None
        self._steady = threading.Event()
        try:
            _ip("netns", "add", self._namespace)
            inside = ("peer", "name", self._far, "netns", self._namespace)
            _ip("link", "add", self._near, "type", "veth", *inside)
            _ip("address", "add", f"{self._here}/30", "dev", self._near)
            _ip("link", "set", self._near, "up")
            _ip("-n", self._namespace, "address", "add", f"{self.address}/30", "dev", self._far)
            self.mend()
        except OSError:
            self.end()
            raise

    def cut(self) -> None:
        """From now on nothing arrives, either way; TCP sends it again, or gives up."""
        _ip("-n", self._namespace, "link", "set", self._far, "down")

    def mend(self) -> None:
        _ip("-n", self._namespace, "link", "set", self._far, "up")

    def flap(self) -> None:
        """Cut and mended again and again, until `steady`: single packets are lost."""
        self._steady.clear()
        self._flapping = threading.Thread(target=self._flap, daemon=True)
        self._flapping.start()

    def steady(self) -> None:
        self._steady.set()
        if self._flapping:
            self._flapping.join()
        self.mend()

    def _flap(self) -> None:
        while not self._steady.is_set():
            self.cut()
            time.sleep(FLAP_SECONDS)
            self.mend()
            time.sleep(FLAP_SECONDS)

    def listener(self, port: int) -> socket.socket:
        """A socket that listens at the far end. It may be used by any process that has it."""
        return self._inside(lambda: socket.create_server((self.address, port)))

    def _inside(self, made: Callable[[], Made]) -> Made:
        """What `made` makes in a thread that has gone into the namespace, and ends there."""
        found: list[Made | BaseException] = []

        def run() -> None:
            try:
                with Path("/run/netns", self._namespace).open() as namespace:
                    libc = ctypes.CDLL(None, use_errno=True)
                    if libc.setns(namespace.fileno(), NETWORK) != 0:
                        raise OSError(ctypes.get_errno(), "setns")
                found.append(made())
            except BaseException as error:
                found.append(error)

        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
        (one,) = found
        if isinstance(one, BaseException):
            raise one
        return one

    def end(self) -> None:
        self._steady.set()
        if self._flapping:
            self._flapping.join()
        for command in (("link", "delete", self._near), ("netns", "delete", self._namespace)):
            try:
                _ip(*command)
            except OSError:
                # It was not made, or has gone with the other end.
                continue


def _ip(*arguments: str) -> None:
    program = shutil.which("ip", path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
    if program is None:
        raise OSError("'ip' is not installed")
    done = subprocess.run([program, *arguments], check=False, capture_output=True, text=True)
    if done.returncode != 0:
        raise OSError(done.stderr.strip())
