"""The list of reason codes as an agent gets it, before and after a change that nobody has saved."""

from collections.abc import Collection
from dataclasses import dataclass, replace

from finesse.users.models import User
from media.breaks.rules import every_rule
from media.breaks.words import sentence
from reasoncodes.models import Category, ReasonCode
from reasoncodes.selection import selectable_by

NEW, CHANGED, GONE, SAME = "new", "changed", "gone", ""


@dataclass(frozen=True)
class Line:
    """One line of the agent's list."""

    reason_code: ReasonCode
    mark: str = SAME
    before: str = ""
    """For one that is changed: what it was."""
    says: str = ""
    """What a break rule says of it to these agents."""


def list_of(team_id: int | None, category: str) -> list[Line]:
    """What an agent of this team chooses from; without a team, the global ones."""
    return [Line(code) for code in selectable_by(User(team_id=team_id), category)]


def lists_of(team_id: int | None) -> list[tuple[Category, list[Line]]]:
    """Both lists, with what they are for, and what break rules say."""
    rules = every_rule()

    def said(code: ReasonCode) -> str:
        rule = rules.of(team_id, code.pk)
        return sentence(rule) if rule else ""

    lists = ((category, list_of(team_id, category)) for category in Category)
    return [
        (category, [replace(line, says=said(line.reason_code)) for line in lines])
        for category, lines in lists
    ]


def list_after(changed: ReasonCode, teams: Collection[int], team_id: int | None) -> list[Line]:
    """The list of its category once this code is saved as it is here, for these teams.

    Made in memory: a transaction that is rolled back would hold up every agent's change of state.
    """
    lines = [line for line in list_of(team_id, changed.category) if not _is(line, changed)]
    now = [line for line in list_of(team_id, changed.category) if _is(line, changed)]
    is_offered = not changed.retired and (changed.for_all or team_id in teams)
    if is_offered:
        lines.append(_changed_line(now[0].reason_code, changed) if now else Line(changed, NEW))
    elif now:
        lines.append(Line(now[0].reason_code, GONE))
    return sorted(lines, key=_turn)


def _is(line: Line, code: ReasonCode) -> bool:
    return line.reason_code.pk == code.pk


def _changed_line(old: ReasonCode, new: ReasonCode) -> Line:
    before = " ".join(
        str(was) for was, now in ((old.code, new.code), (old.label, new.label)) if was != now
    )
    is_same = not before and (old.colour, old.place) == (new.colour, new.place)
    return Line(new, SAME if is_same else CHANGED, before)


def _turn(line: Line) -> tuple[bool, int, int]:
    """As the list is ordered: by place, then by number."""
    code = line.reason_code
    return (code.place is None, code.place or 0, code.code)
