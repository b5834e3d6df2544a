"""The columns of reason codes in a file: how each is written, read and explained."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from import_export.fields import Field
from import_export.resources import Resource
from import_export.widgets import Widget

from finesse.db.names import folded
from finesse.files import names_in_cell
from finesse.files.widgets import OneOf, Text, WholeNumber, YesNo
from finesse.users.models import Team
from reasoncodes.colours import PALETTE
from reasoncodes.models import Category

EVERYBODY, NOBODY = "everybody", "nobody"
OFFERED_TO = "offered to"
REQUIRED = ("category", "code", "label")
TRANSLATION = re.compile(r"label ([a-z]{2,3}(?: [a-z0-9]{2,8})*)")
"""As in "label de"; `pt-BR` is "label pt-BR"."""


@dataclass(frozen=True)
class Offer:
    """Whom a code is offered to, as far as the user sees it."""

    for_all: bool
    teams: frozenset[int] = frozenset()


class OfferWidget(Widget):  # type: ignore[misc]
    """`everybody`, `nobody`, or names of teams, separated by semicolons. An empty cell is None."""

    def __init__(self, teams: Iterable[Team]) -> None:
        super().__init__()
        self.names = {team.pk: team.name for team in teams}
        self.by_name = {folded(name): pk for pk, name in self.names.items()}

    def clean(self, value: str, row: Any = None, **kwargs: Any) -> Offer | None:
        named = names_in_cell.parse(value)
        if not named:
            return None
        if len(named) == 1 and not named[0].is_quoted:
            if folded(named[0].text) == EVERYBODY:
                return Offer(for_all=True)
            if folded(named[0].text) == NOBODY:
                return Offer(for_all=False)
        return Offer(for_all=False, teams=frozenset(self._team(one.text) for one in named))

    def _team(self, name: str) -> int:
        try:
            return self.by_name[folded(name)]
        except KeyError:
            known = ", ".join(f"“{own}”" for own in list(self.names.values())[:5])
            more = ", …" if len(self.names) > 5 else ""
            teams = f"Your teams are {known}{more}." if known else "You have no team."
            raise ValueError(
                f"“{name}” is none of your teams. {teams} Write “{EVERYBODY}” or names of teams, "
                "separated by semicolons."
            ) from None

    def render(self, value: Offer | None, obj: Any = None, **kwargs: Any) -> str:
        if value is None:
            return ""
        if value.for_all:
            return EVERYBODY
        names = sorted(self.names[pk] for pk in value.teams if pk in self.names)
        return names_in_cell.write(names, {EVERYBODY, NOBODY}) or NOBODY


class ColourWidget(Text):
    """As in #17887f, or one of the names that the form offers."""

    def clean(self, value: str, row: Any = None, **kwargs: Any) -> str:
        named = {folded(name): colour for name, colour in PALETTE.items()}
        return named.get(folded(value), value.lower())


class TranslationField(Field):  # type: ignore[misc]
    """The label in one language."""

    def __init__(self, tag: str) -> None:
        super().__init__("translations", f"label {tag}", Text())
        self.tag = tag

    def get_value(self, instance: Any) -> str:
        return str(instance.translations.get(self.tag, ""))

    def save(self, instance: Any, row: Mapping[str, str], is_m2m: bool = False, **kw: Any) -> None:
        text = self.clean(row)
        others = {tag: label for tag, label in instance.translations.items() if tag != self.tag}
        instance.translations = others | ({self.tag: text} if text else {})


CATEGORIES = OneOf(
    {
        "Not ready": Category.NOT_READY.value,
        "Sign out": Category.LOGOUT.value,
        "notready": Category.NOT_READY.value,
        "logout": Category.LOGOUT.value,
        "log out": Category.LOGOUT.value,
        "logged out": Category.LOGOUT.value,
        "signout": Category.LOGOUT.value,
    }
)


class ReasonCodeResource(Resource):  # type: ignore[misc]
    """Reads the cells of a row into a reason code, and writes them.

    A code has an `offered_to` (`Offer`) beside its fields. Columns that a file does not have leave
    the code as it is.
    """

    category = Field("category", "category", CATEGORIES)
    code = Field("code", "code", WholeNumber())
    label = Field("label", "label", Text())
    offered_to = Field("offered_to", OFFERED_TO)
    retired = Field("retired", "retired", YesNo(empty=False))
    description = Field("description", "description", Text())
    colour = Field("colour", "colour", ColourWidget())
    place = Field("place", "place in the list", WholeNumber())
    productive = Field("productive", "productive", YesNo(empty=None))
    maximum_minutes = Field("maximum_minutes", "maximum minutes", WholeNumber())
    warning_minutes = Field("warning_minutes", "warning minutes", WholeNumber())
    system_code = Field("system_code", "system", YesNo(empty=False))

    def __init__(self, teams: Iterable[Team], languages: Iterable[str] = ()) -> None:
        super().__init__()
        self.fields["offered_to"] = Field("offered_to", OFFERED_TO, OfferWidget(teams))
        for tag in languages:
            self.fields[f"label_{tag}"] = TranslationField(tag)

    @property
    def columns(self) -> list[str]:
        return [field.column_name for field in self.fields.values()]

    def column_of(self, attribute: str) -> str:
        """The column that sets this field of a code; empty if none does, or several."""
        if attribute == "translations":
            return ""
        fields = self.fields.values()
        return next((one.column_name for one in fields if one.attribute == attribute), "")

    def values(self, code: Any) -> list[Any]:
        """A code's cells."""
        return [field.export(code) for field in self.fields.values()]


EXPLANATIONS = (
    ("column", "what it means", "example"),
    (
        "category",
        "Not ready or Sign out; NOT_READY or LOGOUT. Required.",
        "Not ready",
    ),
    ("code", "A number from 1 to 65535; reports show it. Required.", "21"),
    ("label", "What agents read, up to 40 characters. Required.", "Training"),
    (
        OFFERED_TO,
        "everybody; or names of teams, separated by semicolons; or nobody. Left empty: a code that "
        "exists stays as it is, a new one gets the teams that you choose on the import page.",
        "Chat; Back office",
    ),
    ("retired", "yes or no: retired codes are no longer offered to agents.", "no"),
    (
        "description",
        "What agents should choose it for, up to 255 characters.",
        "Courses, reading",
    ),
    ("colour", "A name as in Teal, or digits as in #17887f.", "Teal"),
    ("place in the list", "1 comes first; codes without a place follow by their numbers.", "1"),
    ("productive", "yes for work, no for a break; empty: not said.", "yes"),
    ("maximum minutes", "How long an agent should stay in it at most: 1 to 1440.", "60"),
    ("warning minutes", "How many minutes before that the board warns.", "10"),
    ("label de", "The label in German; in the same way “label fr”, “label es” …", "Schulung"),
)
"""For the second sheet of the template, and for the page."""
