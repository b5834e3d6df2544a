"""The rules of uniqueness and of limits for many reason codes at once, in memory.

They are those of `ReasonCode.taken` and `ReasonCode.exceeds`, which ask the database for each code:
a thousand rows of a file would be four thousand queries. Here the question is what holds once all
of them are saved, so codes of one file may swap numbers and labels.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable

from finesse.db.names import folded
from reasoncodes.languages import read_in
from reasoncodes.models import ReasonCode


class Census:
    """The reason codes that are not retired, as they would be.

    Certain only under the writer's lock. Begin with what is stored, take out what changes, and add
    it as it is wanted.
    """

    def __init__(self, stored: Iterable[ReasonCode]) -> None:
        self._by_code: dict[tuple[str, int], ReasonCode] = {}
        self._by_label: dict[tuple[str, str], ReasonCode] = {}
        self._in_languages: dict[str, defaultdict[tuple[str, str], list[ReasonCode]]] = {}
        self._languages: Counter[str] = Counter()
        self._counts: Counter[tuple[str, bool]] = Counter()
        for code in stored:
            self.add(code)

    def add(self, code: ReasonCode) -> None:
        if code.retired:
            return
        self._by_code[code.category, code.code] = code
        self._by_label[code.category, folded(code.label)] = code
        self._languages.update(list(code.translations))
        for language, readers in self._in_languages.items():
            readers[code.category, read_in(language, code)].append(code)
        self._counts[code.category, code.for_all] += not code.system_code

    def take_out(self, code: ReasonCode) -> None:
        """One that was added, as it was then."""
        if code.retired:
            return
        self._by_code.pop((code.category, code.code), None)
        self._by_label.pop((code.category, folded(code.label)), None)
        self._languages.subtract(list(code.translations))
        for language, readers in self._in_languages.items():
            named = code.category, read_in(language, code)
            readers[named] = [one for one in readers[named] if one != code]
        self._counts[code.category, code.for_all] -= not code.system_code

    def rivals(self, code: ReasonCode) -> dict[str, ReasonCode]:
        """Who has its code and its labels already, by `code`, `label` and `translations`."""
        if code.retired:
            return {}
        found = {
            "code": self._by_code.get((code.category, code.code)),
            "label": self._by_label.get((code.category, folded(code.label))),
        }
        if namesake := self.namesake(code):
            found["translations"], _ = namesake
        return {name: rival for name, rival in found.items() if rival is not None}

    def namesake(self, code: ReasonCode) -> tuple[ReasonCode, str] | None:
        """As `ReasonCode.namesake`."""
        if code.retired:
            return None
        label = folded(code.label)
        for language in sorted({*+self._languages, *code.translations}):
            for rival in self._readers(language)[code.category, read_in(language, code)]:
                if folded(rival.label) != label:
                    return rival, language
        return None

    def _readers(self, language: str) -> defaultdict[tuple[str, str], list[ReasonCode]]:
        """The codes by what readers of this language get. Made when it is asked for first."""
        if language not in self._in_languages:
            readers = self._in_languages[language] = defaultdict(list)
            for code in self._by_code.values():
                readers[code.category, read_in(language, code)].append(code)
        return self._in_languages[language]

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
