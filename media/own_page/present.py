"""What the agent's own page shows: states, reasons to choose from, rules and words."""

from datetime import datetime
from typing import Any, TypeAlias

from finesse.api.xml import render
from finesse.notifications import log
from finesse.users.models import User
from finesse.users.names import names_of
from media.breaks.queues import Queues
from media.breaks.shown import limits_of_agent
from media.documents.media import represent
from media.documents.origin import origin_of
from media.documents.user import desktop_of, represent_user
from media.models import VOICE_MRD, Cause, IntervalCorrection, Media, StateInterval, user_uri
from media.own_page import words
from media.own_page.allowed import allowed
from media.state_words import STATE_WORDS
from media.states import DESKTOP_TRANSITIONS, TRANSITIONS, State
from media.supervision_tables import WaitingChange, WaitingOutcome, WaitsFor
from media.writing.options import signs_out_of_mrds
from reasoncodes.languages import label_in
from reasoncodes.models import Category, ReasonCode
from reasoncodes.selection import selectable_by

DESKTOP = "Desktop"
"""The name of the voice MRD's card: agents know it as the desktop that they sign in to."""
Limits: TypeAlias = dict[str, dict[str, Any]]
"""By the id of a reason code as text, what a break rule says of it for this agent."""
_CHOSEN = (Category.NOT_READY, Category.LOGOUT)
RULES = {"media": allowed(TRANSITIONS), "desktop": allowed(DESKTOP_TRANSITIONS)}
ERRORS = words.errors()


def present(user: User, languages: tuple[str, ...]) -> dict[str, Any]:
    """For `user`; labels of reasons in the first of the languages that they have."""
    # Before the states: a change that comes between the two is shown twice, never missed.
    here = log.head().place
    limits = limits_of_agent(user)
    media = [*Media.objects.filter(user=user).select_related("mrd", "reason_code").order_by("mrd")]
    present_reasons = [one.reason_code for one in media] + [desktop_of(user).reason_code]
    return {
        "position": here.number,
        "user": {"id": user.pk, "name": user.get_full_name()},
        "subjects": _subjects(media, user),
        "waiting": _waiting(user, languages),
        "reasons": {category: _reasons(user, category, languages, limits) for category in _CHOSEN},
        "presentReasons": [_reason(one, languages, limits) for one in present_reasons if one],
        "rules": RULES,
        "words": {"states": STATE_WORDS, "errors": ERRORS, "waitingEnds": words.WAITING_ENDS},
        "desktopEndsAll": signs_out_of_mrds(),
    }


def _subjects(media: list[Media], user: User) -> list[dict[str, Any]]:
    """One's Media by MRD, and the desktop last: the documents of the API, and who has brought them
    about if it was not the agent."""
    by = _brought_about(user)
    subjects = [
        {
            "mrd": {"id": str(one.mrd_id), "name": one.mrd.name},
            "source": one.uri,
            "document": render({"Media": represent(one)}),
            "by": by.get(one.mrd_id),
        }
        for one in media
    ]
    desktop = {
        "mrd": {"id": str(VOICE_MRD), "name": DESKTOP},
        "source": user_uri(user.pk),
        "document": render({"user": represent_user(user)}),
        "by": by.get(VOICE_MRD),
    }
    return [*subjects, desktop]


def _waiting(user: User, languages: tuple[str, ...]) -> list[dict[str, Any]]:
    """The changes of one's own states that wait, for the rules to allow them or for a place."""
    open_ones = WaitingChange.objects.filter(login_id=user.pk, outcome=None)
    found = [*open_ones.select_related("reason_code").order_by("pk")]
    queues = Queues() if any(one.waits_for == WaitsFor.PLACE for one in found) else Queues(())
    names = names_of(one.actor for one in found)
    return [
        {
            "id": one.pk,
            "mrdId": str(one.mrd_id or VOICE_MRD),
            "requested": one.requested,
            "by": None if one.actor == user.pk else names.get(one.actor, one.actor),
            "note": one.note,
            "reason": label_in(languages, one.reason_code.label, one.reason_code.translations)
            if one.reason_code
            else "",
            "place": queues.place_of(one),
        }
        for one in found
    ]


def _brought_about(user: User) -> dict[int, dict[str, object] | None]:
    """By MRD, who has brought about the present state, and why; as in the frames' `context`."""
    running = [*StateInterval.objects.filter(login_id=user.pk, ended_at=None)]
    last = {
        one.interval_id: one
        for one in IntervalCorrection.objects.filter(interval__in=running).order_by("id")
    }
    turns = _turns(user, running)
    told = [
        one
        for one in running
        if one.pk in last
        or one.cause != Cause.SELF
        or one.note
        or (one.mrd_id, one.started_at) in turns
    ]
    names = names_of(last.get(one.pk, one).actor for one in told)
    return {
        one.mrd_id: origin_of(
            one, last.get(one.pk), names, is_from_queue=(one.mrd_id, one.started_at) in turns
        )
        for one in told
    }


def _turns(user: User, running: list[StateInterval]) -> set[tuple[int, datetime | None]]:
    """The MRDs and beginnings of those of these states that followed when a place was free.

    What waited has ended when the state began: both are the time of one batch.
    """
    begun = [one.started_at for one in running if one.state == State.NOT_READY]
    if not begun:
        return set()
    had = WaitingChange.objects.filter(
        login_id=user.pk,
        ended_at__in=begun,
        waits_for=WaitsFor.PLACE,
        outcome=WaitingOutcome.APPLIED,
    )
    return {(mrd or VOICE_MRD, at) for mrd, at in had.values_list("mrd_id", "ended_at")}


def _reasons(
    user: User, category: str, languages: tuple[str, ...], limits: Limits
) -> dict[str, Any]:
    """The reasons in the order of the agent's list. One of them is required if there are any."""
    found = selectable_by(user, category)
    return {"isRequired": bool(found), "codes": [_reason(one, languages, limits) for one in found]}


def _reason(reason_code: ReasonCode, languages: tuple[str, ...], limits: Limits) -> dict[str, Any]:
    """`limit` is what a break rule says of it, None without one; its longest stay stands in the
    place of the reason's own."""
    limit = limits.get(str(reason_code.pk))
    return {
        "id": str(reason_code.pk),
        "code": reason_code.code,
        "label": label_in(languages, reason_code.label, reason_code.translations),
        "colour": reason_code.colour,
        "description": reason_code.description,
        "maximumMinutes": limit["maximumMinutes"] if limit else reason_code.maximum_minutes,
        "warningMinutes": reason_code.warning_minutes,
        "limit": limit,
    }
