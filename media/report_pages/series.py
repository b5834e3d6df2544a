"""The states and reasons of one page: what each is called, looks like, and has become since."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

from django.utils.safestring import SafeString

from finesse.users.models import User
from media.report_pages.charts.looks import Looks
from media.report_pages.wording import with_reason
from media.state_words import STATE_WORDS, state_word
from media.states import State
from reasoncodes.access import visible_to
from reasoncodes.models import ReasonCode

Named: TypeAlias = tuple[str, int | None]
"""A state, and the id of its reason code."""


@dataclass(frozen=True)
class Appearance:
    name: str
    fill: str
    swatch: SafeString
    marks: tuple[str, ...]
    number: int
    """Its place among the looks of the page; -1 if it has none."""


class Series:
    """One for each page, so that its charts agree; it takes two queries."""

    def __init__(self, reader: User, reasons: Iterable[int | None]) -> None:
        pks = {pk for pk in reasons if pk is not None}
        self._codes: dict[int, ReasonCode] = ReasonCode.objects.in_bulk(pks)
        # What a code of other teams is called now is not the reader's business.
        self._seen = {*visible_to(reader).filter(pk__in=pks).values_list("pk", flat=True)}
        self.looks = Looks()

    def appearance(
        self, state: str, reason: int | None, code: int | None, label: str
    ) -> Appearance:
        """How to show this state and reason, whose code had this number and label then."""
        name, marks = with_reason(state, label), self._marks(reason, label)
        if state == State.LOGOUT:
            return Appearance(name, "", SafeString(), marks, -1)
        key = str(reason) if reason is not None else label
        colour = self._codes[reason].colour if reason in self._codes else ""
        fill = self.looks.fill(state, key, colour)
        number = self.looks.numbers[state, key]
        return Appearance(name, fill, self.looks.swatch(state, key, colour), marks, number)

    def _marks(self, reason: int | None, label: str) -> tuple[str, ...]:
        code = self._codes.get(reason or 0)
        if code is None or code.pk not in self._seen:
            return ()
        renamed = (f"now called {code.label}",) if label and code.label != label else ()
        return (("retired",) if code.retired else ()) + renamed


def in_order(state: str) -> int:
    """The place of a state in tables and charts."""
    words = [*STATE_WORDS.values()]
    return words.index(state_word(state))
