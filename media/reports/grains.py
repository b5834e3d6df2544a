"""The two grains of sums: each team's by the hour, and each agent's by the day. All in UTC.

Each serves what it is fine enough for: hours are near the edges of days in every zone, and agents
are asked for in whole days or more.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from media.sum_tables import SumHead, SumOfDay, SumOfHour

HOUR = timedelta(hours=1)
HOURS_OF_A_DAY = 24
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Grain:
    model: type[SumOfHour] | type[SumOfDay]
    column: str
    """Of the model: which hour or day, counted since 1970."""
    hours: int
    """How long one is."""
    of_agents: bool

    @property
    def length(self) -> timedelta:
        return self.hours * HOUR

    def number_of(self, at: datetime) -> int:
        return (at - _BEGINNING) // self.length

    def beginning_of(self, number: int) -> datetime:
        return _BEGINNING + number * self.length

    def made(self, head: SumHead) -> range:
        """Those for which there are sums."""
        if self is HOURS:
            return range(head.since, head.upto)
        return range(-(-head.since // self.hours), head.days)

    def holding(self, hours: Collection[int]) -> set[int]:
        """Those in which these hours are."""
        return {hour // self.hours for hour in hours}


HOURS = Grain(SumOfHour, "hour", 1, of_agents=False)
DAYS = Grain(SumOfDay, "day", HOURS_OF_A_DAY, of_agents=True)
