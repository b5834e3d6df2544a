"""The Media and desktops that an action is about, as they are at this moment."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from finesse.users.access import managed_users
from finesse.users.models import User
from media.documents.user import desktop_of
from media.models import Desktop, Media, MediaRequest
from media.states import State
from media.supervision.asking import MAX_ROWS, AskingError, Subject
from media.writing.mapping import desktop_session_of, media_session_of

NOT_MANAGED = "Not an agent of your teams"
"""Also for agents that do not exist, so that nobody can find out which do."""


@dataclass(slots=True)
class Present:
    """What is true of some agents. Requests that are pending may change it."""

    agents: dict[str, User]
    """Those whose states the supervisor may change, by login id, with their desktops."""
    media: dict[Subject, Media] = field(default_factory=dict)
    pending: set[Subject] = field(default_factory=set)

    def find(self, subject: Subject) -> Media | Desktop | None:
        """The Media or the desktop; None if there is none that the supervisor manages."""
        agent = self.agents.get(subject.login_id)
        if agent is None:
            return None
        return desktop_of(agent) if subject.mrd_id is None else self.media.get(subject)


def read_present(supervisor: User, login_ids: Iterable[str]) -> Present:
    """What is true of these agents, as far as the supervisor manages them."""
    wanted = {*login_ids}
    found = managed_users(supervisor).filter(pk__in=wanted).distinct()
    present = Present({one.pk: one for one in found.select_related("desktop__reason_code")})
    # First: what is pending now may be applied before the states are read, not after.
    pending = MediaRequest.objects.filter(outcome=None, login_id__in=present.agents)
    present.pending = {Subject(*one) for one in pending.values_list("login_id", "mrd_id")}
    media = Media.objects.filter(user__in=present.agents).select_related("mrd", "reason_code")
    present.media = {Subject(one.user_id, one.mrd_id): one for one in media}
    return present


def everything_of(present: Present, subjects: Sequence[Subject]) -> list[Subject]:
    """All that these agents are signed in to: the Media, then the desktop, which must come last.

    An agent who is signed in to nothing, or is not managed, stays as one row. Raises AskingError.
    """
    found: list[Subject] = []
    for login_id in dict.fromkeys(one.login_id for one in subjects):
        own = [*(one for one in present.media if one.login_id == login_id), Subject(login_id, None)]
        signed_in = [one for one in own if is_signed_in(present, one)]
        found += signed_in or [Subject(login_id, None)]
    if len(found) > MAX_ROWS:
        raise AskingError(f"These are more than {MAX_ROWS} states: choose fewer agents", 413)
    return found


def is_signed_in(present: Present, subject: Subject) -> bool:
    """Also while a sign-in is pending."""
    row = present.find(subject)
    return row is not None and (row.state != State.LOGOUT or subject in present.pending)


def session_as_json(row: Media | Desktop) -> dict[str, Any]:
    """All that an action can change, to go back to."""
    if isinstance(row, Media):
        return asdict(media_session_of(row))
    return asdict(desktop_session_of(row))
