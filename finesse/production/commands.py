"""The command line of a process, as each set-up runs it."""

import shlex
from collections.abc import Mapping

from finesse.production.processes import Process


def with_socket(process: Process, descriptor: int) -> tuple[str, ...]:
    """It takes a socket that is open already, where it has one."""
    option = [word.format(descriptor=descriptor) for word in process.socket_option]
    return (*process.command, *option)


def with_address(process: Process, address: str) -> tuple[str, ...]:
    """It listens by itself, at its own port of `address`, where it listens at all."""
    option = [word.format(address=address, port=process.port) for word in process.address_option]
    return (*process.command, *option)


def filled(command: tuple[str, ...], values: Mapping[str, str]) -> list[str]:
    """The command with its placeholders replaced."""
    return [word.format_map(values) for word in command]


def line(command: tuple[str, ...], values: Mapping[str, str]) -> str:
    """The same as a line for a shell, or for a file with a shell's rules."""
    return shlex.join(filled(command, values))
