"""Which stored reason code a row of a file is about: the one with its category and its code.

Ids are no help: a file may come from another server, where they name other codes.
"""

from finesse.db.names import folded
from media.reason_codes.files.present import Present
from reasoncodes.models import ReasonCode


class Matcher:
    """Finds each stored code for one row only."""

    def __init__(self, present: Present) -> None:
        self._present = present
        self._rows: dict[object, int] = {}

    def find(self, read: ReasonCode) -> ReasonCode | None:
        """The code that a row as it was read is about; None if there is none yet.

        One that is not retired has the number. A row of a retired code is about a retired one with
        the same label, or retires the one with that label that has the number. One that is offered
        brings a retired one back, unless its number has been given away.
        """
        active = self._present.by_number.get((read.category, read.code))
        retired = self._unused_retired(read)
        if read.retired:
            is_it = active is not None and folded(active.label) == folded(read.label)
            return retired or (self._visible(active) if is_it else None)
        if active is not None:
            return self._visible(active)
        return retired if retired and retired.pk in self._present.changeable else None

    def earlier_row(self, code: ReasonCode, number: int) -> int | None:
        """The row that is about the same code; None if `number` is the first one."""
        key: object = code.pk or (code.category, code.code)
        first = self._rows.setdefault(key, number)
        return first if first != number else None

    def _visible(self, code: ReasonCode | None) -> ReasonCode | None:
        return self._present.visible.get(code.pk) if code else None

    def _unused_retired(self, read: ReasonCode) -> ReasonCode | None:
        key = (read.category, read.code, folded(read.label))
        return next((one for one in self._present.retired[key] if one.pk not in self._rows), None)
