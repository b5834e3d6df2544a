from asgiref.sync import async_to_sync
from celery import shared_task
from channels.layers import get_channel_layer
from django.db import transaction
from django.utils import timezone

from benchmarks.plain.models import Media, StateInterval
from benchmarks.plain.serializers import MediaSerializer


@shared_task
def change_state(media_id: int, state: str, reason_code_id: int | None, request_id: str) -> None:
    now = timezone.now()
    with transaction.atomic():
        media = Media.objects.select_for_update().get(pk=media_id)
        media.state, media.reason_code_id, media.state_change_time = state, reason_code_id, now
        media.save()
        StateInterval.objects.filter(media=media, ended_at=None).update(ended_at=now)
        StateInterval.objects.create(
            media=media, state=state, reason_code_id=reason_code_id, started_at=now
        )
    media = Media.objects.select_related("user", "reason_code").get(pk=media_id)
    login_id = media.user.get_username()
    message = {
        "type": "media.changed",
        "frame": {
            "type": "notification",
            "requestId": request_id,
            "node": f"/finesse/api/User/{login_id}/Media",
            "media": MediaSerializer(media).data,
        },
    }
    layer = get_channel_layer()
    for group in (f"user.{login_id}", "everybody"):
        async_to_sync(layer.group_send)(group, message)
