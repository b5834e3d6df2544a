"""What reason codes were at a time: their maximum time, number and label, by their own history."""

from bisect import bisect_right
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta

from reasoncodes.models import ReasonCode


@dataclass(frozen=True, slots=True)
class Meaning:
    since: datetime
    code: int
    label: str
    maximum: timedelta | None


class Maxima:
    """As they are when it is made; it takes one query."""

    def __init__(self) -> None:
        self._versions: defaultdict[int, list[Meaning]] = defaultdict(list)
        versions = ReasonCode.history.order_by("history_date", "history_id")
        for pk, since, code, label, minutes in versions.values_list(
            "id", "history_date", "code", "label", "maximum_minutes"
        ):
            maximum = timedelta(minutes=minutes) if minutes else None
            self._versions[pk].append(Meaning(since, code, label, maximum))

    def rows(self) -> list[dict[str, object]]:
        """The maximum times with the time in which each was in force, for a statement."""
        return [
            {
                "reason_code_id": pk,
                "since": one.since.isoformat() if place else "-infinity",
                "until": following.since.isoformat() if following else "infinity",
                "maximum": f"{one.maximum.total_seconds()} seconds",
            }
            for pk, versions in self._versions.items()
            for place, (one, following) in enumerate(
                zip(versions, [*versions[1:], None], strict=True)
            )
            if one.maximum
        ]

    def at(self, reason_code_id: int | None, time: datetime) -> Meaning | None:
        """The version that was in force; before the first one, the first."""
        versions = self._versions.get(reason_code_id or 0)
        if not versions:
            return None
        place = bisect_right(versions, time, key=lambda one: one.since)
        return versions[max(place - 1, 0)]

    def of(self, reason_code_id: int | None, began: datetime) -> timedelta | None:
        """The maximum time of a stay for this reason that began then; None: it has none."""
        meaning = self.at(reason_code_id, began)
        return meaning.maximum if meaning else None
