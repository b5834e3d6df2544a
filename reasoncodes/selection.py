"""The reason codes that a user may choose: the global ones and those of the user's team."""

from typing import NamedTuple

from finesse.db.statements import Placeholder, Rows, Statement
from finesse.users.models import User
from reasoncodes.models import ReasonCode, ReasonCodeQuerySet, uri_of


class ListedReasonCode(NamedTuple):
    """What a list shows of a reason code, where no model of it is needed."""

    pk: int
    category: str
    code: int
    label: str
    for_all: bool
    system_code: bool
    translations: dict[str, str] = {}

    @property
    def uri(self) -> str:
        return uri_of(self.pk)


SHOWN = ListedReasonCode._fields[:-1]
"""The columns that documents show. Every other one costs each request that reads a code."""


def _offered() -> ReasonCodeQuerySet:
    of_team = ReasonCode.objects.offered_to(Placeholder("team"))
    return of_team.filter(category=Placeholder("category"))


_SELECTABLE = Statement(lambda: _offered().in_order())
_LISTED = Rows(lambda: _offered().in_order().values_list(*SHOWN), ListedReasonCode)
_TRANSLATED = Rows(
    lambda: _offered().in_order().values_list(*ListedReasonCode._fields), ListedReasonCode
)
_SELECTED = Statement(lambda: _offered().filter(pk=Placeholder("id")).only(*SHOWN).order_by())


def selectable_by(user: User, category: str) -> list[ReasonCode]:
    """All of a category: those with a place first, then in the order of their codes."""
    return _SELECTABLE.all(team=user.team_id, category=category)


def listed_for(user: User, category: str, *, translated: bool) -> list[ListedReasonCode]:
    """As `selectable_by`, with what the API's list shows of each code alone.

    Translations are read for clients that ask for a language: each is a text in JSON to be parsed.
    """
    listed = _TRANSLATED if translated else _LISTED
    return listed.all(team=user.team_id, category=category)


def selected_by(user: User, category: str, pk: int) -> ReasonCode | None:
    """The one with this id, if the user may choose it, with what documents show of it."""
    return _SELECTED.first(team=user.team_id, category=category, id=pk)
