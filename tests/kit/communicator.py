"""A WebSocket to the application in the test's own event loop."""

from typing import Any

from channels.testing import WebsocketCommunicator

from tests.kit.installation import TIMEOUT_SECONDS


class PatientCommunicator(WebsocketCommunicator):
    """Its waits are for what hangs; channels' own give up after a second."""

    async def connect(self, timeout: float = TIMEOUT_SECONDS) -> Any:
        return await super().connect(timeout)

    async def receive_output(self, timeout: float = TIMEOUT_SECONDS) -> Any:
        return await super().receive_output(timeout)

    async def receive_from(self, timeout: float = TIMEOUT_SECONDS) -> Any:
        return await super().receive_from(timeout)

    async def disconnect(self, code: int = 1000, timeout: float = TIMEOUT_SECONDS) -> None:
        await super().disconnect(code, timeout)
