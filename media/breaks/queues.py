"""Queues: who waits for a place at a reason, and at which place of the queue.

An agent stands in a queue once, in however many MRDs, as an agent takes one place.
"""

from collections.abc import Collection, Iterable, Mapping

from finesse.users.models import User
from media.breaks.places import Group
from media.breaks.rules import every_rule
from media.supervision_tables import QueuePlace, WaitingChange, WaitsFor


class Queues:
    """All queues, by what is committed or by what a batch has decided."""

    def __init__(
        self,
        waiting: Iterable[WaitingChange] | None = None,
        teams: Mapping[str, int | None] | None = None,
    ) -> None:
        """`waiting` are all that wait for a place, in the order of their turns, and `teams` those
        of their agents; what is not given is read."""
        found = _open() if waiting is None else [*waiting]
        if teams is None:
            users = User.objects.filter(pk__in={one.login_id for one in found})
            teams = dict(users.values_list("pk", "team")) if found else {}
        self._teams = {**teams}
        self._queues: dict[Group, list[WaitingChange]] = {}
        for one in found:
            self._queues.setdefault(self.group_of(one), []).append(one)

    def group_of(self, waiting: WaitingChange) -> Group:
        login_id = waiting.login_id
        if login_id not in self._teams:
            # One that has ended, of an agent who waits for nothing else.
            team = User.objects.filter(pk=login_id).values_list("team", flat=True).first()
            self._teams[login_id] = team
        return self._teams[login_id], waiting.reason_code_id or 0

    def place_of(self, waiting: WaitingChange) -> QueuePlace | None:
        """None for one that does not wait for a place."""
        agents = self._agents(self.group_of(waiting))
        if waiting.waits_for != WaitsFor.PLACE or waiting.login_id not in agents:
            return None
        return agents.index(waiting.login_id) + 1, len(agents)

    def length(self, group: Group) -> int:
        """How many agents wait in this queue."""
        return len(self._agents(group))

    def in_queues_of(
        self, changed: Collection[WaitingChange]
    ) -> dict[int, tuple[WaitingChange, QueuePlace]]:
        """By id, all that wait in the queues that these have left or come to, with their places."""
        groups = {self.group_of(one) for one in changed if one.waits_for == WaitsFor.PLACE}
        return {
            one.pk: (one, place)
            for group in groups
            for one in self._queues.get(group, ())
            if (place := self.place_of(one))
        }

    def _agents(self, group: Group) -> list[str]:
        return [*dict.fromkeys(one.login_id for one in self._queues.get(group, ()))]


def reasons_with_queue(teams: Iterable[int | None]) -> set[int]:
    """The reason codes at which agents of one of these teams can wait for a place."""
    rules, found = every_rule(), set()
    for team in teams:
        for reason in {rule.reason_code_id for rule in rules}:
            rule = rules.of(team, reason)
            if rule and rule.has_queue:
                found.add(reason)
    return found


def _open() -> list[WaitingChange]:
    waiting = WaitingChange.objects.filter(outcome=None, waits_for=WaitsFor.PLACE)
    return [*waiting.select_related("reason_code").order_by("pk")]
