"""The columns of people in a file: how each is written, read and explained."""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

from import_export.fields import Field
from import_export.resources import Resource
from import_export.widgets import Widget

from finesse.db.names import folded
from finesse.files import names_in_cell
from finesse.files.widgets import Text, YesNo
from media.models import VOICE_MRD, MediaRoutingDomain

REQUIRED = ("login id", "first name")
ROLES = ("agent", "supervisor", "administrator")
NEW_TEAMS = "Make teams that do not exist yet"


class RolesWidget(Widget):  # type: ignore[misc]
    """`agent`, `supervisor`, `administrator`, or the last two, separated by a semicolon."""

    def clean(self, value: str, row: Any = None, **kwargs: Any) -> frozenset[str]:
        roles = {folded(one.text) for one in names_in_cell.parse(value)}
        if unknown := roles - {*ROLES}:
            raise ValueError(f"“{min(unknown)}” is no role. Write {', '.join(ROLES)}.")
        return frozenset(roles - {"agent"})

    def render(self, value: frozenset[str], obj: Any = None, **kwargs: Any) -> str:
        return "; ".join(role for role in ROLES if role in value) or "agent"


class TeamsWidget(Widget):  # type: ignore[misc]
    """Names of teams, as the set of those names. With `may_be_new` those of others, too."""

    def __init__(self, names: Iterable[str], *, may_be_new: bool) -> None:
        super().__init__()
        self.by_name = {folded(name): name for name in names}
        self.may_be_new = may_be_new

    def clean(self, value: str, row: Any = None, **kwargs: Any) -> frozenset[str]:
        return frozenset(self.name(one.text) for one in names_in_cell.parse(value))

    def name(self, name: str) -> str:
        """The name as the team has it. One that is new is spelt as it was first."""
        if self.may_be_new:
            return self.by_name.setdefault(folded(name), name)
        try:
            return self.by_name[folded(name)]
        except KeyError:
            close = get_close_matches(folded(name), self.by_name, 1)
            hint = f" Is it “{self.by_name[close[0]]}”?" if close else ""
            raise ValueError(
                f"There is no team “{name}”.{hint} For a new team tick “{NEW_TEAMS}” when you "
                "upload the file."
            ) from None

    def render(self, value: frozenset[str], obj: Any = None, **kwargs: Any) -> str:
        return names_in_cell.write(sorted(value))


class TeamWidget(TeamsWidget):
    """One team's name, or nothing."""

    def clean(self, value: str, row: Any = None, **kwargs: Any) -> Any:
        named = names_in_cell.parse(value)
        if len(named) > 1:
            raise ValueError("A person is in one team. Those to supervise are in “supervises”.")
        return self.name(named[0].text) if named else ""

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        return names_in_cell.write([value]) if value else ""


class MRDsWidget(Widget):  # type: ignore[misc]
    """MRDs by their names or their ids, as the set of the ids."""

    def __init__(self, mrds: Iterable[MediaRoutingDomain]) -> None:
        super().__init__()
        self.names = {mrd.pk: mrd.name for mrd in mrds if mrd.pk != VOICE_MRD}
        self.by_name = {folded(name): pk for pk, name in self.names.items()}
        # In a cell these are ids, unless they are quoted.
        self.like_ids = {name for name in self.by_name if name.isdigit()}

    def clean(self, value: str, row: Any = None, **kwargs: Any) -> frozenset[int]:
        return frozenset(self._mrd(one) for one in names_in_cell.parse(value))

    def _mrd(self, named: names_in_cell.Named) -> int:
        text = folded(named.text)
        if not named.is_quoted and text.isascii() and text.isdigit() and len(text) < 12:
            if int(text) in self.names:
                return int(text)
        elif text in self.by_name:
            return self.by_name[text]
        known = "; ".join(f"{name} ({pk})" for pk, name in list(self.names.items())[:8])
        raise ValueError(
            f"“{named.text}” is no MRD that people can be in. There are: {known or 'none yet'}."
        )

    def render(self, value: frozenset[int], obj: Any = None, **kwargs: Any) -> str:
        names = [self.names[pk] for pk in sorted(value) if pk in self.names]
        return names_in_cell.write(names, self.like_ids)


class PersonResource(Resource):  # type: ignore[misc]
    """Reads the cells of a row into a `Person`, and writes them."""

    login_id = Field("login_id", "login id", Text())
    first_name = Field("first_name", "first name", Text())
    last_name = Field("last_name", "last name", Text())
    team = Field("team", "team")
    roles = Field("roles", "role", RolesWidget())
    manages_global = Field("manages_global", "manages global codes", YesNo(empty=False))
    supervises = Field("supervises", "supervises")
    mrds = Field("mrds", "mrds")
    is_active = Field("is_active", "active", YesNo(empty=True))

    def __init__(
        self,
        teams: Iterable[str] = (),
        mrds: Iterable[MediaRoutingDomain] = (),
        *,
        may_make_teams: bool = False,
    ) -> None:
        super().__init__()
        names = list(teams)
        several = TeamsWidget(names, may_be_new=may_make_teams)
        one = TeamWidget(names, may_be_new=may_make_teams)
        # A new team is spelt in one way in both columns.
        one.by_name = several.by_name
        self.fields["team"] = Field("team", "team", one)
        self.fields["supervises"] = Field("supervises", "supervises", several)
        self.fields["mrds"] = Field("mrds", "mrds", MRDsWidget(mrds))

    @property
    def columns(self) -> list[str]:
        return [field.column_name for field in self.fields.values()]

    def column_of(self, attribute: str) -> str:
        """The column that sets this attribute; empty if there is none."""
        fields = self.fields.values()
        return next((one.column_name for one in fields if one.attribute == attribute), "")

    def values(self, person: Any) -> dict[str, str]:
        return {field.column_name: str(field.export(person)) for field in self.fields.values()}


EXPLANATIONS = (
    ("column", "what it means", "example"),
    ("login id", "Letters, digits and . _ - alone. It cannot be changed later. Required.", "1234"),
    ("first name", "Up to 64 characters. Required.", "Ana"),
    ("last name", "Up to 64 characters.", "Lima"),
    ("team", "The one team that the person belongs to.", "Chat"),
    (
        "role",
        "agent, supervisor or administrator; “supervisor; administrator” for both. Empty: agent.",
        "agent",
    ),
    (
        "manages global codes",
        "yes or no: a supervisor who may also manage the reason codes of every team.",
        "no",
    ),
    ("supervises", "The teams that a supervisor watches, separated by semicolons.", "Chat; Email"),
    ("mrds", "Media routing domains, by names or ids, separated by semicolons.", "Chat; 5001"),
    ("active", "yes or no: “no” ends all access at once. Empty: yes.", "yes"),
)
"""For the second sheet of the template, and for the page."""
