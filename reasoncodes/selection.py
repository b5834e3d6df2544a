"""The reason codes that a user may choose: the global ones and those of the user's team."""

from finesse.db.statements import Placeholder, Statement
from finesse.users.models import User
from reasoncodes.models import ReasonCode

_SELECTABLE = Statement(
    lambda: (
        ReasonCode.objects.offered_to(Placeholder("team"))
        .filter(category=Placeholder("category"))
        .in_order()
    )
)
_SELECTED = Statement(
    lambda: (
        ReasonCode.objects.offered_to(Placeholder("team"))
        .filter(category=Placeholder("category"), pk=Placeholder("id"))
        .order_by()
    )
)


def selectable_by(user: User, category: str) -> list[ReasonCode]:
    """All of a category: those with a place first, then in the order of their codes."""
    return _SELECTABLE.all(team=user.team_id, category=category)


def selected_by(user: User, category: str, pk: int) -> ReasonCode | None:
    """The one with this id, if the user may choose it."""
    return _SELECTED.first(team=user.team_id, category=category, id=pk)
