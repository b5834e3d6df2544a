"""What a rule says, in one sentence: the same words for supervisors and agents, on every page."""

from collections.abc import Iterator
from dataclasses import dataclass

from media.break_tables import BreakRule, Then

_THEN = {
    Then.READY: "Ready",
    Then.SIGN_OUT: "signed out",
}


@dataclass(frozen=True, order=True)
class Step:
    """What is done so many minutes after the time is over."""

    after: int
    turn: int
    """Of steps at the same time: the agent hears of it first, and is moved last."""
    name: str
    """The field of a `BreakStay` that notes it."""
    words: str


def steps_of(rule: BreakRule) -> list[Step]:
    """In the order of time."""
    return sorted(_steps(rule))


def _steps(rule: BreakRule) -> Iterator[Step]:
    if rule.tell_agent_after is not None:
        yield Step(rule.tell_agent_after, 0, "agent_told", "a reminder to the agent")
    if rule.tell_supervisors_after is not None:
        yield Step(rule.tell_supervisors_after, 1, "supervisors_told", "the supervisors are told")
    if rule.then_after is not None:
        yield Step(rule.then_after, 2, "ended", _state_after(rule))


def sentence(rule: BreakRule) -> str:
    """Such as "At most 2 of the team at once. 30 min, then a reminder to the agent; 5 min later the
    supervisors are told; 10 min later Ready."

    It ends with a full stop; for a rule that says nothing it is empty.
    """
    return " ".join(part for part in (_places(rule), _time(rule)) if part)


def _places(rule: BreakRule) -> str:
    if not rule.most_at_once:
        return ""
    waits = ", the next ones may wait for a place" if rule.has_queue else ""
    return f"At most {rule.most_at_once} of the team at once{waits}."


def _time(rule: BreakRule) -> str:
    bounds = [f"{rule.stay_minutes} min" if rule.stay_minutes else ""]
    if rule.budget_minutes:
        bounds.append(f"{rule.budget_minutes} min a day")
    time = " and at most ".join(bound for bound in bounds if bound)
    if not time:
        return ""
    said, before = [], 0
    for number, step in enumerate(steps_of(rule)):
        said.append(_when(step.after - before, is_first=number == 0) + step.words)
        before = step.after
    return f"{time}, then {'; '.join(said)}." if said else f"{time}, then nothing happens."


def _when(minutes: int, *, is_first: bool) -> str:
    if minutes == 0:
        return "" if is_first else "at the same time "
    return f"after {minutes} min more " if is_first else f"{minutes} min later "


def _state_after(rule: BreakRule) -> str:
    if rule.then == Then.NOT_READY and rule.then_reason_code is not None:
        return f"Not ready for “{rule.then_reason_code.label}”"
    return _THEN[Then(rule.then)]
