"""The rules of uniqueness and of limits for many reason codes at once, in memory.

They are those of `ReasonCode.taken` and `ReasonCode.exceeds`, which ask the database for each code:
a thousand rows of a file would be four thousand queries. Here the question is what holds once all
of them are saved, so codes of one file may swap numbers and labels.
"""

from collections import Counter
from collections.abc import Iterable

from finesse.db.names import folded
from reasoncodes.models import ReasonCode


class Census:
    """The reason codes that are not retired, as they would be.

    Certain only under the writer's lock. Begin with what is stored, take out what changes, and add
    it as it is wanted.
    """

    def __init__(self, stored: Iterable[ReasonCode]) -> None:
        self._by_code: dict[tuple[str, int], ReasonCode] = {}
        self._by_label: dict[tuple[str, str], ReasonCode] = {}
        self._counts: Counter[tuple[str, bool]] = Counter()
        for code in stored:
            self.add(code)

    def add(self, code: ReasonCode) -> None:
        if code.retired:
            return
        self._by_code[code.category, code.code] = code
        self._by_label[code.category, folded(code.label)] = code
        self._counts[code.category, code.for_all] += not code.system_code

    def take_out(self, code: ReasonCode) -> None:
        """One that was added, as it was then."""
        if code.retired:
            return
        self._by_code.pop((code.category, code.code), None)
        self._by_label.pop((code.category, folded(code.label)), None)
        self._counts[code.category, code.for_all] -= not code.system_code

    def rivals(self, code: ReasonCode) -> dict[str, ReasonCode]:
        """Who has its code and its label already, by `code` and `label`."""
        if code.retired:
            return {}
        found = {
            "code": self._by_code.get((code.category, code.code)),
            "label": self._by_label.get((code.category, folded(code.label))),
        }
        return {name: rival for name, rival in found.items() if rival is not None}

    def exceeds(self, code: ReasonCode) -> bool:
        """Whether it would be one too many of its scope."""
        if code.retired or code.system_code:
            return False
        return self._counts[code.category, code.for_all] >= code.limit

    def next_free(self, category: str) -> int:
        """The lowest number that no code of the category has."""
        code = 1
        while (category, code) in self._by_code:
            code += 1
        return code
