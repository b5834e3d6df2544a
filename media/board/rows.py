"""What the board shows: agents with their desktops, and their Media.

In few statements of plain values: an administrator of 2,000 agents sees 6,000 Media.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet

from finesse.notifications.readers import Reader
from finesse.users.models import User
from finesse.users.names import names_of
from media.documents.origin import origin_of
from media.models import (
    VOICE_MRD,
    Cause,
    Desktop,
    IntervalCorrection,
    Media,
    MediaRoutingDomain,
    StateInterval,
    media_uri,
)
from media.states import State

Origins = dict[tuple[str, int], dict[str, Any]]
"""By login id and MRD: what brought the present state about."""


def rows(reader: Reader) -> dict[str, Any]:
    """The agents, MRDs and Media that the reader may see. Moments are milliseconds since 1970."""
    seen, origins = _Seen(reader), _origins(reader)
    media = [_media(values, origins) for values in seen.media()]
    desktops = {values[0]: _state(VOICE_MRD, values, origins) for values in seen.desktops()}
    shown = desktops.keys() | {one["user"] for one in media}
    return {
        "users": [
            {
                "id": pk,
                "name": f"{first} {last}".strip(),
                "team": team or "",
                "mayAct": reader.manages(pk),
                "desktop": desktops.get(pk),
            }
            for pk, first, last, team in seen.people()
            if pk in shown
        ],
        "mrds": {
            str(pk): name for pk, name in MediaRoutingDomain.objects.values_list("pk", "name")
        },
        "media": media,
    }


@dataclass(frozen=True)
class _Seen:
    """Plain values of what the reader may see."""

    reader: Reader

    def media(self) -> "QuerySet[Media, Any]":
        return self._of_users(Media.objects.order_by("user", "mrd")).values_list(
            *("user_id", "state", "state_change_time", "reason_code_id"),
            *("reason_code__label", "reason_code__code", "mrd_id", "routable"),
        )

    def desktops(self) -> "QuerySet[Desktop, Any]":
        # One that nobody has ever signed in to shows nothing.
        used = Desktop.objects.exclude(state_change_time=None)
        return self._of_users(used).values_list(
            *("user_id", "state", "state_change_time", "reason_code_id"),
            *("reason_code__label", "reason_code__code"),
        )

    def people(self) -> "QuerySet[User, Any]":
        people = User.objects.order_by("pk")
        if self.reader.watches is not None:
            people = people.filter(pk__in=self.reader.watches)
        return people.values_list("pk", "first_name", "last_name", "team__name")

    def _of_users(self, objects: QuerySet[Any]) -> QuerySet[Any]:
        if self.reader.watches is None:
            return objects
        return objects.filter(user__in=self.reader.watches)


def _media(values: tuple[Any, ...], origins: Origins) -> dict[str, Any]:
    *of_state, mrd_id, routable = values
    state = _state(mrd_id, of_state, origins)
    return {
        "source": media_uri(values[0], mrd_id),
        "user": values[0],
        "mrd": str(mrd_id),
        "routable": routable,
        **state,
    }


def _state(mrd_id: int, values: Collection[Any], origins: Origins) -> dict[str, Any]:
    login_id, state, since, reason_id, label, code = values
    origin = origins.get((login_id, mrd_id), {})
    reason = _reason(reason_id, label, code)
    if state == State.LOGOUT:
        reason = origin.get("reason")
    by = origin.get("by")
    return {"state": state, "reason": reason, "since": _moment(since), "by": by}


def _reason(reason_id: int | None, label: str, code: int | None) -> dict[str, str] | None:
    if reason_id is None:
        return None
    return {"id": str(reason_id), "label": label, "code": str(code)}


def _moment(at: datetime | None) -> int | None:
    return int(at.timestamp() * 1000) if at else None


def _origins(reader: Reader) -> Origins:
    """Of the states that the agents have not brought about themselves, and of sign-outs."""
    intervals = StateInterval.objects.filter(ended_at=None)
    if reader.watches is not None:
        intervals = intervals.filter(login_id__in=reader.watches)
    of_sign_out = Q(state=State.LOGOUT, reason_code__isnull=False)
    found = [*intervals.filter(~Q(cause=Cause.SELF) | ~Q(note="") | of_sign_out)]
    corrections = [*_corrections(reader)]
    names = names_of([one.actor for one in found] + [one.actor for one in corrections])
    origins: Origins = {
        (one.login_id, one.mrd_id): {
            "reason": _reason(one.reason_code_id, one.label, one.code),
            "by": origin_of(one, None, names),
        }
        for one in found
    }
    for one in corrections:
        key = (one.interval.login_id, one.interval.mrd_id)
        origins[key] = {"by": origin_of(one.interval, one, names)}
    return origins


def _corrections(reader: Reader) -> QuerySet[IntervalCorrection]:
    """Of the reasons that agents are in now; of several of one interval the last one comes last."""
    made = IntervalCorrection.objects.filter(interval__ended_at=None).order_by("pk")
    if reader.watches is not None:
        made = made.filter(interval__login_id__in=reader.watches)
    return made.select_related("interval")
