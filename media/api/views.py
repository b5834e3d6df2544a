"""/finesse/api/User/<id>/Media, .../Dialogs and /finesse/api/MediaDomain."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, cast

from django.conf import settings
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from finesse.api.errors import (
    BAD_REQUEST,
    MRD_NOT_FOUND,
    PARAMETER_INVALID,
    PARAMETER_MISSING,
    FinesseError,
)
from finesse.api.permissions import OwnObjectsOnly
from finesse.api.views import FinesseView, request_id_of
from finesse.api.xml import Children, identifier
from finesse.db.statements import Placeholder, Rows
from finesse.users.models import User
from media.api import description
from media.api.parameters import read_options, read_reason_code, read_requested
from media.documents.media import represent, represent_mrd, represent_non_member, shown
from media.models import VOICE_MRD, Cause, Media, MediaRequest, MediaRoutingDomain, media_uri
from media.states import Requested, State
from media.writing.acceptance import accept, refuse, refuse_without_place
from media.writing.requests import new_request

MAX_MRD_ID = 2**31 - 1
"""The column is a 32-bit integer."""
# All that a change has to know of the Media.
_STATE = Rows(
    lambda: (
        Media.objects.filter(user=Placeholder("login_id"), mrd=Placeholder("mrd"))
        .order_by()
        .values_list("state")
    ),
    State,
)
MAX_MEDIA_PER_REQUEST = 100
"""Five times the 20 MRDs that a system may have [Configuration Limits]."""


class MediaList(FinesseView):
    """The user's Media, by MRD [Media - Get List], and changing several at once."""

    permission_classes = (IsAuthenticated, OwnObjectsOnly)

    @description.GET_MEDIA_LIST
    def get(self, request: Request, user_id: str) -> Response:
        media = Media.objects.filter(user=user_id).select_related("mrd", "reason_code")
        found = {one.mrd_id: represent(one) for one in media}
        if settings.FINESSE_LIST_ALL_MEDIA:
            for mrd in MediaRoutingDomain.objects.exclude(pk__in=[VOICE_MRD, *found]):
                found[mrd.pk] = represent_non_member(media_uri(user_id, mrd.pk), mrd)
        return Response({"MediaList": {"Media": [found[mrd_id] for mrd_id in sorted(found)]}})

    @description.PUT_MEDIA_LIST
    def put(self, request: Request, user_id: str) -> Response:
        """Accepts all or none; each has an outcome of its own.

        Release 12.6(2) has this call, but we found no page about it: this is our interpretation.
        """
        wanted = self.document("MediaList").every("Media")
        if not wanted:
            raise BAD_REQUEST(reason="The body must contain at least one <Media>")
        if len(wanted) > MAX_MEDIA_PER_REQUEST:
            limit = f"{MAX_MEDIA_PER_REQUEST} <Media>"
            raise BAD_REQUEST(reason=f"The body must not contain more than {limit}")
        media = Media.objects.filter(user=user_id).only("mrd_id", "state")
        own = {str(one.mrd_id): one for one in media}
        accept([_one_of_the_list(request, user_id, own, one) for one in wanted])
        return Response(status=202)


class MediaDetail(FinesseView):
    """One user in one MRD [Media - Get Media], [Media—Change Agent State with Reason Code]."""

    permission_classes = (IsAuthenticated, OwnObjectsOnly)

    @description.GET_MEDIA
    def get(self, request: Request, user_id: str, mrd_id: str) -> Response:
        pk = identifier(mrd_id, upto=MAX_MRD_ID)
        if pk == VOICE_MRD:
            raise MRD_NOT_FOUND(mrd=mrd_id)
        media = shown(user_id, pk)
        if media is None:
            non_member = represent_non_member(media_uri(user_id, pk), find_mrd(mrd_id))
            return Response({"Media": non_member})
        return Response({"Media": represent(media)})

    @description.PUT_MEDIA
    def put(self, request: Request, user_id: str, mrd_id: str) -> Response:
        """Answers 202 without a body; the outcome arrives as a Media notification [seed]."""
        pk = identifier(mrd_id, upto=MAX_MRD_ID)
        state = _STATE.first(login_id=user_id, mrd=pk)
        if state is None:
            # Another error says that the user has no Media in it.
            find_mrd(mrd_id)
        accept([_validated(request, pk, state, self.document("Media"))])
        return Response(status=202)


class MediaDomainList(FinesseView):
    """Every configured MRD. No page shows the elements: they are our interpretation."""

    @description.GET_MEDIA_DOMAINS
    def get(self, request: Request) -> Response:
        mrds = MediaRoutingDomain.objects.order_by("pk")
        return Response({"MediaDomains": {"MediaDomain": [represent_mrd(mrd) for mrd in mrds]}})


class MediaDomainDetail(FinesseView):
    """One MRD."""

    @description.GET_MEDIA_DOMAIN
    def get(self, request: Request, mrd_id: str) -> Response:
        return Response({"MediaDomain": represent_mrd(find_mrd(mrd_id))})


class DialogList(FinesseView):
    """The user's calls and tasks. Desktops read it; this service routes none, so it is empty."""

    permission_classes = (IsAuthenticated, OwnObjectsOnly)

    @description.GET_DIALOGS
    def get(self, request: Request, user_id: str) -> Response:
        return Response({"Dialogs": None})


def find_mrd(mrd_id: str) -> MediaRoutingDomain:
    """The MRD of the path. Ids are plain decimals: `05000` is not 5000.

    Raises FinesseError `Not Found`.
    """
    mrd = MediaRoutingDomain.objects.filter(pk=identifier(mrd_id, upto=MAX_MRD_ID)).first()
    if mrd is None:
        raise MRD_NOT_FOUND(mrd=mrd_id)
    return mrd


def _validated(
    request: Request, mrd_id: int, state: State | None, children: Children
) -> MediaRequest:
    """What a `<Media>` asks for, of a Media in this state or of none.

    Raises the FinesseError of the first thing that is wrong.
    """
    user = cast(User, request.user)
    requested = read_requested(children)
    options = read_options(children) if requested is Requested.LOGIN else None
    refuse(requested, state or State.LOGOUT, user.pk, mrd_id)
    reason_code = read_reason_code(children, requested, user)
    refuse_without_place(user, requested, reason_code)
    return new_request(
        user.pk,
        mrd_id,
        requested,
        reason_code=reason_code,
        options=options,
        request_id=request_id_of(request),
        cause=Cause.SELF,
        actor=user.pk,
    )


def _one_of_the_list(
    request: Request, user_id: str, own: Mapping[str, Media], one: Any
) -> MediaRequest:
    """What one `<Media>` of a list asks for; `own` are the user's Media by MRD."""
    children = one if isinstance(one, Children) else Children()
    mrd_id = children.text("id") or _mrd_of(children.text("uri"), user_id)
    with _errors_about(mrd_id):
        media = own.get(mrd_id)
        pk = media.mrd_id if media else find_mrd(mrd_id).pk
        return _validated(request, pk, State(media.state) if media else None, children)


def _mrd_of(uri: str, user_id: str) -> str:
    if not uri:
        raise PARAMETER_MISSING(parameter="id")
    match = re.search(r"/User/([^/]+)/Media/([^/]+)/?\Z", uri)
    if match is None or match[1] != user_id:
        raise PARAMETER_INVALID(parameter="uri", object="media")
    return match[2]


@contextmanager
def _errors_about(mrd_id: str) -> Iterator[None]:
    try:
        yield
    except FinesseError as error:
        error.media = mrd_id
        raise
