from typing import Any

from django.shortcuts import get_object_or_404
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from benchmarks.plain.models import Media
from benchmarks.plain.serializers import ChangeSerializer, MediaSerializer
from benchmarks.plain.tasks import change_state


class MediaView(APIView):
    def _media(self, request: Request, login_id: str, mrd_id: int) -> Media:
        if login_id != request.user.get_username():
            raise PermissionDenied
        found = Media.objects.select_related("reason_code")
        return get_object_or_404(found, user=request.user, mrd_id=mrd_id)

    def get(self, request: Request, login_id: str, mrd_id: int) -> Response:
        return Response(MediaSerializer(self._media(request, login_id, mrd_id)).data)

    def put(self, request: Request, login_id: str, mrd_id: int) -> Response:
        media = self._media(request, login_id, mrd_id)
        serializer = ChangeSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        wanted: Any = serializer.validated_data
        reason_code = wanted.get("reasonCodeId")
        change_state.delay(
            media.pk,
            wanted["state"],
            reason_code.pk if reason_code else None,
            request.headers.get("requestId", ""),
        )
        return Response(status=202)
