"""/finesse/api/User/<id>/Media: the seed's PUT, and reading what came of it."""

import re
from typing import cast

from django.conf import settings
from django.db import IntegrityError
from django.utils import timezone
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from finesse.api.errors import MRD_NOT_FOUND, REASON_CODE_INVALID, TABLE
from finesse.api.permissions import OwnObjectsOnly
from finesse.api.views import FinesseView, request_id_of
from finesse.users.models import User
from media import tasks
from media.models import VOICE_MRD, Cause, Media, MediaRequest, MediaRoutingDomain, media_uri
from media.serializers import (
    read_options,
    read_reason_code,
    read_state,
    represent,
    represent_non_member,
)
from media.states import Requested, State, refusal


class MediaList(FinesseView):
    """The user's Media, by MRD [Media - Get List]."""

    permission_classes = (IsAuthenticated, OwnObjectsOnly)

    def get(self, request: Request, user_id: str) -> Response:
        media = Media.objects.filter(user=user_id).select_related("mrd", "reason_code")
        found = {one.mrd_id: represent(one) for one in media}
        if settings.FINESSE_LIST_ALL_MEDIA:
            for mrd in MediaRoutingDomain.objects.exclude(pk__in=[VOICE_MRD, *found]):
                found[mrd.pk] = represent_non_member(media_uri(user_id, mrd.pk), mrd)
        return Response({"MediaList": {"Media": [found[mrd_id] for mrd_id in sorted(found)]}})


class MediaDetail(FinesseView):
    """One user in one MRD [Media - Get Media], [Media—Change Agent State with Reason Code]."""

    permission_classes = (IsAuthenticated, OwnObjectsOnly)

    def get(self, request: Request, user_id: str, mrd_id: str) -> Response:
        mrd, media = find(user_id, mrd_id)
        if mrd.is_voice:
            raise MRD_NOT_FOUND(mrd=mrd_id)
        if media is None:
            return Response({"Media": represent_non_member(media_uri(user_id, mrd.pk), mrd)})
        return Response({"Media": represent(media)})

    def put(self, request: Request, user_id: str, mrd_id: str) -> Response:
        """202 and nothing else: the outcome arrives as a Media notification [seed]."""
        mrd, media = find(user_id, mrd_id)
        children = self.document("Media")
        requested = read_state(children)
        options = read_options(children) if requested is Requested.LOGIN else None
        if media and (error := refusal(State(media.state), requested)):
            raise TABLE[error]()
        reason_code = read_reason_code(children, requested, cast(User, request.user))
        accepted = MediaRequest(
            login_id=user_id,
            mrd_id=mrd.pk,
            requested=requested,
            reason_code=reason_code,
            request_id=request_id_of(request),
            cause=Cause.SELF,
            actor=user_id,
            accepted_at=timezone.now(),
        )
        if options:
            accepted.max_dialog_limit = options.max_dialog_limit
            accepted.interrupt_action = options.interrupt_action
            accepted.dialog_logout_action = options.dialog_logout_action
        # Committed before the bell, and both before the answer: a 202 is a promise.
        try:
            accepted.save(force_insert=True)
        except IntegrityError:
            # The reason code was deleted since it was found.
            raise REASON_CODE_INVALID() from None
        tasks.ring()
        return Response(status=202)


def find(login_id: str, mrd_id: str) -> tuple[MediaRoutingDomain, Media | None]:
    """The MRD of the path and the user's Media in it, if there is one.

    Ids are the text that they are: `05000` is not 5000. Raises FinesseError `Not Found`.
    """
    if not re.fullmatch(r"[1-9][0-9]{0,9}", mrd_id) or int(mrd_id) > 2**31 - 1:
        raise MRD_NOT_FOUND(mrd=mrd_id)
    media = (
        Media.objects.filter(user=login_id, mrd=int(mrd_id))
        .select_related("mrd", "reason_code")
        .first()
    )
    if media:
        return media.mrd, media
    mrd = MediaRoutingDomain.objects.filter(pk=int(mrd_id)).first()
    if mrd is None:
        raise MRD_NOT_FOUND(mrd=mrd_id)
    return mrd, None
