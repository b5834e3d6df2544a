"""What differs between two versions of a reason code, in the words of the form."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from finesse.users.models import Team

WORDS = {
    "code": "code",
    "label": "label",
    "for_all": "offered to everybody",
    "retired": "retired",
    "description": "description",
    "translations": "other languages",
    "colour": "colour",
    "place": "place in the list",
    "productive": "counts as",
    "maximum_minutes": "maximum time",
    "warning_minutes": "warning",
}


@dataclass(frozen=True)
class Difference:
    name: str
    """The field's."""
    before: str
    after: str

    def __str__(self) -> str:
        words = WORDS.get(self.name, self.name)
        return f"{words} from {self.before} to {self.after}"


def differences(old: Any, new: Any, teams: "QuerySet[Team]") -> list[Difference]:
    """Field by field, from one version to another. Teams that are not among these have no name."""
    found = [
        Difference(name, _shown(name, before), _shown(name, after))
        for name in WORDS
        if (before := getattr(old, name)) != (after := getattr(new, name))
    ]
    if set(old.team_names) != set(new.team_names):
        seen = {str(pk) for pk in teams.values_list("pk", flat=True)}
        before, after = _names(old.team_names, seen), _names(new.team_names, seen)
        found.append(Difference("teams", before, after))
    return found


def _shown(name: str, value: Any) -> str:
    if value in (None, "", {}):
        return "nothing"
    if name == "productive":
        return "work" if value else "a break"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return ", ".join(f"{tag} “{label}”" for tag, label in value.items())
    if name in {"maximum_minutes", "warning_minutes"}:
        return f"{value} min"
    return f"“{value}”" if isinstance(value, str) else str(value)


def _names(names: Mapping[str, str], seen: set[str]) -> str:
    shown = sorted(name for pk, name in names.items() if pk in seen)
    if names.keys() - seen:
        shown.append("other teams")
    return ", ".join(shown) or "no team"
