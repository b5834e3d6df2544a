"""Places: how many agents of a team are in a reason, and how many may be.

An agent counts once, in however many MRDs. Only what agents ask for themselves is bound.
Supervisors and the system may go beyond it, and the agents whom they set count.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import TypeAlias

from finesse.users.models import User
from media.break_tables import BreakRule
from media.breaks.rules import RuleBook, rules_of
from media.models import VOICE_MRD, Cause, Desktop, Media, MediaRequest
from media.states import Requested, State
from media.supervision_tables import WaitingChange, WaitsFor

Group: TypeAlias = tuple[int | None, int]
"""A team (None: the agents without one) and a reason code."""
Taken: TypeAlias = dict[str, set[int]]
"""The agents who are in a reason, and in which MRDs; the voice MRD stands for the desktop."""

_ASKING = frozenset({Requested.NOT_READY})


def is_bound(request: MediaRequest | WaitingChange) -> bool:
    """Whether the request needs a place, where there is a number of them."""
    if isinstance(request, WaitingChange) and request.waits_for == WaitsFor.PLACE:
        # Asked for by the agent or by a supervisor.
        return True
    return (
        request.reason_code_id is not None
        and request.cause == Cause.SELF
        and request.requested in _ASKING
    )


class Places:
    """The places at the reasons that a batch asks for or waits for, while it is decided.

    To be made and used under the writer's lock: so of two agents who ask for the last place at the
    same time one gets it. Where no rule says a number it costs one statement, or none.
    """

    def __init__(self, requests: Collection[MediaRequest | WaitingChange]) -> None:
        self._teams: dict[str, int | None] = {}
        self._taken: dict[Group, Taken] = {}
        self._rules = RuleBook(())
        asked = {one.reason_code_id for one in requests if is_bound(one)}
        if not asked:
            return
        self._rules = rules_of(pk for pk in asked if pk is not None)
        if not any(rule.most_at_once for rule in self._rules):
            return
        # By what is true under the lock: an agent may have come to another team since.
        users = User.objects.filter(pk__in={one.login_id for one in requests})
        self._teams = dict(users.values_list("pk", "team"))
        groups = {
            (self._teams.get(one.login_id), one.reason_code_id or 0)
            for one in requests
            if is_bound(one)
        }
        self._taken = taken(group for group in groups if _most(self._rules, group))

    def refuses(self, request: MediaRequest) -> bool:
        """Whether all places are taken, by others than this agent."""
        if not self._taken or not is_bound(request):
            return False
        group = self.group_of(request)
        return group in self._taken and not _has_place(
            self._taken[group], request.login_id, _most(self._rules, group)
        )

    @property
    def teams(self) -> Mapping[str, int | None]:
        """Of the agents who are concerned; empty where no rule says a number."""
        return self._teams

    def group_of(self, request: MediaRequest | WaitingChange) -> Group:
        return self._teams.get(request.login_id), request.reason_code_id or 0

    def has_queue(self, request: MediaRequest | WaitingChange) -> bool:
        """Whether one who finds no place may wait for it."""
        rule = self._rules.of(*self.group_of(request))
        return rule is not None and rule.has_queue

    def has_place(self, waiting: WaitingChange) -> bool:
        """Whether one who waits for a place could have it now."""
        group = self.group_of(waiting)
        return group not in self._taken or _has_place(
            self._taken[group], waiting.login_id, _most(self._rules, group)
        )

    def move(self, login_id: str, mrd_id: int, before: int | None, after: int | None) -> None:
        """An agent's reason in an MRD has changed, in this batch, by whatever request."""
        if not self._taken:
            return
        team = self._teams.get(login_id)
        if before is not None:
            _leave(self._taken.get((team, before)), login_id, mrd_id)
        if after is not None and (team, after) in self._taken:
            self._taken[team, after][login_id].add(mrd_id)


def taken(groups: Iterable[Group]) -> dict[Group, Taken]:
    """Who is in these reasons now, of these teams."""
    found: dict[Group, Taken] = {group: defaultdict(set) for group in groups}
    if not found:
        return found
    reasons = {reason for _, reason in found}
    media = Media.objects.filter(state=State.NOT_READY, reason_code__in=reasons)
    desktops = Desktop.objects.filter(state=State.NOT_READY, reason_code__in=reasons)
    rows = chain(
        media.order_by().values_list("user__team", "reason_code", "user", "mrd"),
        (
            (*one, VOICE_MRD)
            for one in desktops.values_list("user__team", "reason_code", "user").order_by()
        ),
    )
    for team, reason, login_id, mrd_id in rows:
        if (team, reason) in found:
            found[team, reason][login_id].add(mrd_id)
    return found


@dataclass(frozen=True)
class Full:
    """All places that an agent could get are taken."""

    by: frozenset[str]
    """The agents who have them."""
    has_queue: bool
    """Whether the agent may wait for one."""


def is_full(user: User, reason_code_id: int) -> Full | None:
    """None if there is a place for this agent, or no number of them.

    By what is committed: `Places` has the last word.
    """
    group = user.team_id, reason_code_id
    rule = rules_of([reason_code_id]).of(*group)
    if rule is None or not rule.most_at_once:
        return None
    there = taken([group])[group]
    if _has_place(there, user.pk, rule.most_at_once):
        return None
    return Full(frozenset(there), rule.has_queue)


def _most(rules: RuleBook, group: Group) -> int | None:
    rule: BreakRule | None = rules.of(*group)
    return rule.most_at_once if rule else None


def _has_place(there: Taken, login_id: str, most: int | None) -> bool:
    return not most or login_id in there or len(there) < most


def _leave(there: Taken | None, login_id: str, mrd_id: int) -> None:
    if there and login_id in there:
        there[login_id].discard(mrd_id)
        if not there[login_id]:
            del there[login_id]
