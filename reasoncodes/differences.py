"""What differs between two versions of a reason code, in the words of supervisors."""

from collections.abc import Callable, Iterator, Mapping, Set
from dataclasses import dataclass
from typing import Any

from django.conf.locale import LANG_INFO

from reasoncodes.history import KEPT
from reasoncodes.models import ReasonCode

NOTHING = "–"
OTHER_TEAMS = "other teams"


@dataclass(frozen=True)
class Difference:
    what: str
    before: str
    after: str

    def __str__(self) -> str:
        return f"{self.what}: {self.before} → {self.after}"


def differences(old: Any, new: Any, seen: Set[str] | None) -> list[Difference]:
    """From one version to another; `old` is None for a code that did not exist.

    `seen` are the ids of the teams whose names the reader may know: None for all. Teams are called
    what they were called then.
    """
    found = [*_offered_to(old, new, seen)]
    for name in KEPT:
        if name in _SHOWN_OTHERWISE:
            continue
        before, after = getattr(old, name, None), getattr(new, name)
        if before != after and (old is not None or after not in (None, "", False)):
            say = _WORDS.get(name, str)
            found.append(Difference(_head(name), _said(say, before), _said(say, after)))
    found += _languages(old.translations if old else {}, new.translations)
    return sorted(found, key=lambda one: _ORDER.get(one.what, len(_ORDER)))


def offered_to(version: Any, seen: Set[str] | None) -> str:
    """Who was offered this version, retired or not."""
    if version.system_code:
        return "nobody: the system’s own"
    return "everybody" if version.for_all else names_of(version.team_names, seen)


def names_of(teams: Mapping[str, str], seen: Set[str] | None) -> str:
    """The names of these teams; those that are not seen have none."""
    names = sorted(name for pk, name in teams.items() if seen is None or pk in seen)
    if seen is not None and teams.keys() - seen:
        names.append(OTHER_TEAMS)
    return ", ".join(names) or "nobody"


def in_words(version: Any, name: str) -> str:
    """What this field of a version, or of a reason code, says to a supervisor."""
    return _said(_WORDS.get(name, str), getattr(version, name))


def language_in_words(tag: str) -> str:
    """German (de), or the tag of a language that Django does not know."""
    known = LANG_INFO.get(tag.lower()) or {}
    name = str(known.get("name", ""))
    return f"{name} ({tag})" if name else tag


def _offered_to(old: Any, new: Any, seen: Set[str] | None) -> Iterator[Difference]:
    after = offered_to(new, seen)
    if old is None:
        yield Difference("Offered to", NOTHING, after)
        return
    before = offered_to(old, seen)
    same_teams = old.team_names.keys() == new.team_names.keys()
    if old.for_all != new.for_all or (not new.for_all and not same_teams):
        if before == after:
            # It concerns teams that the reader does not see.
            after = f"{after} (not the same as before)"
        yield Difference("Offered to", before, after)
    elif not same_teams:
        teams = (names_of(old.team_names, seen), names_of(new.team_names, seen))
        yield Difference("Teams, without effect while everybody has it", *teams)


def _languages(old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[Difference]:
    for tag in sorted(old.keys() | new.keys()):
        if old.get(tag) != new.get(tag):
            yield Difference(
                f"Label in {language_in_words(tag)}",
                old.get(tag) or NOTHING,
                new.get(tag) or NOTHING,
            )


def _head(name: str) -> str:
    if name in _HEADS:
        return _HEADS[name]
    field: Any = ReasonCode._meta.get_field(name)
    words = str(field.verbose_name)
    return words[:1].upper() + words[1:]


def _said(say: Callable[[Any], str], value: Any) -> str:
    return NOTHING if value is None or value == "" else say(value)


def _minutes(count: int) -> str:
    return "1 minute" if count == 1 else f"{count} minutes"


_SHOWN_OTHERWISE = frozenset({"for_all", "translations"})
_HEADS = {
    "code": "Code",
    "label": "Label",
    "retired": "Retired",
    "productive": "Counts as",
    "warning_minutes": "Warning before that",
}
_WORDS: dict[str, Callable[[Any], str]] = {
    "category": lambda value: str(dict(ReasonCode._meta.get_field("category").flatchoices)[value]),
    "retired": lambda value: "yes" if value else "no",
    "productive": lambda value: "work" if value else "a break",
    "maximum_minutes": _minutes,
    "warning_minutes": _minutes,
}
_ORDER = {what: place for place, what in enumerate(("Category", "Label", "Code", "Offered to"))}
