"""“Why does Ana get nothing?”: the present rules about an agent, a sentence for each MRD."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo

from django.utils import timezone

from finesse.notifications import log
from finesse.notifications.nodes import MEDIA
from finesse.users.models import User
from finesse.users.names import names_of
from media.documents.user import desktop_of, with_desktops
from media.models import VOICE_MRD, Cause, Desktop, Media, MediaRequest, StateInterval
from media.states import Requested, State

LOOKED_BACK = 100
"""So many of an agent's last notifications are looked through for the last change of mode."""

AT_WORK = {
    State.RESERVED: "a task was offered",
    State.ACTIVE: "works on a task",
    State.PAUSED: "a task is paused",
    State.WORK_READY: "wraps up, ready afterwards",
    State.INTERRUPTED: "a task of another MRD came between",
    State.WORK: "the connection was lost",
}
"""What a state means that the tasks decide about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What the sentences need beside the states: who brought them about, and the reader's clock."""

    now: datetime
    zone: tzinfo
    began: Mapping[int, StateInterval] = field(default_factory=dict)
    """The intervals that run, by MRD; the desktop's is that of the voice MRD."""
    modes: Mapping[int, MediaRequest] = field(default_factory=dict)
    """The request that made the agent not routable, by MRD."""
    names: Mapping[str, str] = field(default_factory=dict)
    """Names of people by login id."""

    def clock(self, moment: datetime) -> str:
        """The time of day, with the day if it is another one than today."""
        here = moment.astimezone(self.zone)
        is_today = here.date() == self.now.astimezone(self.zone).date()
        return f"{here:%H:%M}" if is_today else f"{here:%H:%M} on {here.day} {here:%B}"

    def by(self, cause: str, actor: str, note: str) -> str:
        """Who it was, if it was not the agent, and the note."""
        words = ""
        if cause != Cause.SELF:
            who = Cause(cause).label if cause != Cause.SUPERVISOR or not actor else ""
            words = f", by {who or self.names.get(actor, actor)}"
        return f"{words}: “{note}”" if note else words


def explain(media: Sequence[Media], desktop: Desktop, told: Told) -> list[str]:
    """A sentence for each MRD that the agent is in, then one for the desktop. Pure."""
    if not desktop.user.is_active:
        return ["The account is not active: nobody can sign in with it."]
    sentences = [_of_media(one, told) for one in media]
    return [
        *(sentences or ["In no MRD: an administrator assigns agents to MRDs."]),
        _of_desktop(desktop, told),
    ]


def why_not(user: User, zone: tzinfo) -> list[str]:
    """Why this user gets nothing, or may get something, at this moment."""
    user = with_desktops(User.objects.filter(pk=user.pk)).get()
    media = list(Media.objects.filter(user=user).select_related("mrd", "reason_code"))
    running = StateInterval.objects.filter(login_id=user.pk, ended_at=None)
    began = {interval.mrd_id: interval for interval in running}
    modes = _last_modes(user.pk, [one.mrd_id for one in media if _is_held(one)])
    actors = {one.actor for one in began.values()} | {one.actor for one in modes.values()}
    names = names_of(actors)
    told = Told(now=timezone.now(), zone=zone, began=began, modes=modes, names=names)
    return explain(media, desktop_of(user), told)


def _is_held(media: Media) -> bool:
    return media.state != State.LOGOUT and (not media.routable or media.not_routable_next)


def _last_modes(login_id: str, mrds: Sequence[int]) -> dict[int, MediaRequest]:
    """The last requests that made the agent not routable in these MRDs, if they are not long ago.

    A change of mode begins no interval. Its notification leads to its request: both are found by an
    index, which the requests of an agent are not.
    """
    if not mrds:
        return {}
    node = MEDIA.format(id=login_id)
    newest = log.newest([node], before=log.head().position + 1, limit=LOOKED_BACK)
    found = MediaRequest.objects.filter(
        position__in=[one.position for one in newest],
        mrd_id__in=mrds,
        requested=Requested.NOT_ROUTABLE,
        error="",
    )
    return {one.mrd_id: one for one in found.order_by("position") if one.mrd_id is not None}


def _of_media(media: Media, told: Told) -> str:
    state, where = State(media.state), media.mrd.name
    reason = media.reason_code.label if media.reason_code else ""
    if state is State.LOGOUT:
        sentence = f"Signed out of {where}"
        if media.state_change_time is None:
            return f"Has never signed in to {where}."
    elif state is State.NOT_READY:
        sentence = f"Not ready in {where}"
    elif state is State.READY:
        sentence = f"Ready in {where}"
    else:
        sentence = f"{state} in {where} ({AT_WORK[state]})"
    running = told.began.get(media.mrd_id)
    sentence += _since(media.state_change_time, running, reason, told)
    return f"{sentence}{_of_mode(media, told)}."


def _of_mode(media: Media, told: Told) -> str:
    if media.not_routable_next:
        return "; not routable once the offered task is started"
    if media.routable or media.state == State.LOGOUT:
        return "; routable: work can come" if media.state == State.READY else ""
    request = told.modes.get(media.mrd_id)
    if request is None or request.applied_at is None:
        return "; not routable"
    by = told.by(request.cause, request.actor, request.note)
    return f"; not routable since {told.clock(request.applied_at)}{by}"


def _of_desktop(desktop: Desktop, told: Told) -> str:
    words = {State.LOGOUT: "signed out", State.NOT_READY: "not ready", State.READY: "ready"}
    if desktop.state_change_time is None:
        return "The desktop has never been signed in to."
    reason = desktop.reason_code.label if desktop.reason_code else ""
    running = told.began.get(VOICE_MRD)
    since = _since(desktop.state_change_time, running, reason, told)
    return f"The desktop is {words[State(desktop.state)]}{since}."


def _since(at: datetime | None, running: StateInterval | None, reason: str, told: Told) -> str:
    """Since when, for which reason and by whom."""
    # A sign-out keeps its reason in the history only.
    reason = reason or (running.label if running else "")
    since = f" since {told.clock(at)}" if at else ""
    because = f" ({reason})" if reason else ""
    by = told.by(running.cause, running.actor, running.note) if running else ""
    return since + because + by
