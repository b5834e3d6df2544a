"""Changes of reason codes: for the API and for the administration."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError

from finesse.api.errors import (
    PARAMETER_INVALID,
    REASON_CODE_DUPLICATE,
    REASON_CODE_NOT_FOUND,
    REASON_CODE_OF_SYSTEM,
    REASON_CODE_STALE,
    REASON_CODES_EXCEEDED,
    TEAM_ASSIGNMENT_INVALID_TEAM,
)
from finesse.api.xml import identifier
from finesse.notifications import log
from finesse.users.models import Team, User
from reasoncodes.changes import Change, Way, change
from reasoncodes.models import ReasonCode


@contextmanager
def exclusive(by: User, way: Way) -> Iterator[Change]:
    """A transaction that starts with the writer's lock, the first in the order of locks.

    A check made in it (of uniqueness, of a limit, that a team exists) still holds at its commit.
    What is saved in it is one change in the history, by this user and this way.
    """
    with change(by.pk, way) as named, transaction.atomic():
        log.lock()
        yield named


def find(text: str) -> ReasonCode:
    """The reason code of this id, unless it is retired. Raises FinesseError `Not Found`."""
    reason_code = ReasonCode.objects.not_retired().filter(pk=identifier(text)).first()
    if reason_code is None:
        raise REASON_CODE_NOT_FOUND(id=text)
    return reason_code


def find_changeable(text: str) -> ReasonCode:
    """As `find`; raises FinesseError `Finesse API Error` for one of the system."""
    reason_code = find(text)
    if reason_code.system_code:
        raise REASON_CODE_OF_SYSTEM(id=text)
    return reason_code


def find_team(text: str) -> Team:
    """The team whose reason codes are configured. Raises FinesseError 404."""
    team = Team.objects.filter(pk=identifier(text)).first()
    if team is None:
        raise TEAM_ASSIGNMENT_INVALID_TEAM(team=text)
    return team


def hold(pk: int) -> None:
    """Let no new request name it until the transaction ends; call it in `exclusive`.

    Agents choose without the writer's lock. Requests that were committed before are seen from here
    on; later ones wait for this transaction, and are refused if it deletes the reason code.
    """
    ReasonCode.objects.select_for_update().filter(pk=pk).first()


def save(reason_code: ReasonCode) -> None:
    """Insert or update it; call it in `exclusive`.

    Raises FinesseError `Finesse API Error` for a duplicate, in whatever language, `Maximum
    Exceeded` over a limit.
    """
    if taken := reason_code.taken():
        # A label may be what another code is called in another language.
        raise REASON_CODE_DUPLICATE(parameter="code" if taken[0] == "code" else "label")
    if reason_code.exceeds():
        raise REASON_CODES_EXCEEDED(limit=str(reason_code.limit), scope=reason_code.scope)
    try:
        with transaction.atomic():
            reason_code.save()
    except ValidationError:
        # The field has seen what the check could not: a write without the lock.
        raise REASON_CODE_DUPLICATE(parameter="label") from None
    except IntegrityError as error:
        # The same, seen by the database's constraint.
        # (SQLite names the index if it is one of expressions, and otherwise the columns.)
        name = "label" if "reasoncode_label_unique" in str(error) else "code"
        raise REASON_CODE_DUPLICATE(parameter=name) from None


def remove(text: str, by: User) -> None:
    """Delete it; only retire it if a Media, a desktop, a request, a rule or the history names it.

    Raises FinesseError as `find_changeable` does.
    """
    with exclusive(by, Way.API):
        reason_code = find_changeable(text)
        hold(reason_code.pk)
        try:
            reason_code.delete()
        except ProtectedError:
            reason_code.retired = True
            reason_code.save(update_fields=["retired"])


def assign(team_id: str, category: str, wanted: Sequence[int], by: User) -> None:
    """Make these the team's own reason codes of the category, by their ids, and no others.

    Raises FinesseError 404 for the team, `Finesse API Error` for a reason code that does not exist,
    `Invalid Input` for one that cannot belong to a team, `Maximum Exceeded` over the limit.
    """
    with exclusive(by, Way.API):
        team = find_team(team_id)
        found = ReasonCode.objects.not_retired().in_bulk(wanted)
        for pk in wanted:
            reason_code = found.get(pk)
            if reason_code is None:
                raise REASON_CODE_STALE(id=str(pk))
            of_others = reason_code.for_all or reason_code.system_code
            if of_others or reason_code.category != category:
                raise PARAMETER_INVALID(parameter="uri", object="reason code")
        limit = settings.FINESSE_MAX_TEAM_REASON_CODES
        if len(found) > limit:
            raise REASON_CODES_EXCEEDED(limit=str(limit), scope="team")
        present = ReasonCode.objects.assigned_to(team, category).in_bulk()
        team.reason_codes.remove(*(present.keys() - found.keys()))
        team.reason_codes.add(*(found.keys() - present.keys()))
