"""How long to wait for what may never come."""

_ENOUGH = 5
"""Waits in vain after which a server is thought to tell nothing, and is waited for less."""


class Waiting:
    """Bounds a run against a server that loses notifications: most checks would wait in full."""

    def __init__(self, wait_limit: float) -> None:
        self.wait_limit = wait_limit
        self._in_vain = 0

    @property
    def seconds(self) -> float:
        return self.wait_limit if self._in_vain < _ENOUGH else self.wait_limit / 20

    def was_in_vain(self) -> None:
        self._in_vain += 1
