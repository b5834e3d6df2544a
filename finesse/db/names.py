"""Names and labels: texts that people read, tell apart and look for."""

import re
import sys
import unicodedata
from collections.abc import Callable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.db import models

if TYPE_CHECKING:
    _CharField = models.CharField[str, str]
else:
    _CharField = models.CharField

REFUSED_CATEGORIES = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})
"""Controls, formats (which change directions, or are invisible), characters that nobody has defined
or that each machine defines, halves of characters, and separators of lines and paragraphs."""
FILLERS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
"""Letters and marks by their category, but nothing to be seen."""


def is_visible(character: str) -> bool:
    """Whether a name may have it. Blanks may be there; what changes other characters may not."""
    return unicodedata.category(character) not in REFUSED_CATEGORIES and character not in FILLERS


def validate_visible(text: str) -> None:
    """Raises ValidationError for a text with a character that nobody sees."""
    for character in text:
        if not is_visible(character):
            code = f"U+{ord(character):04X}"
            raise ValidationError(
                f"Use printable characters only: {code} is invisible, or changes others.",
                code="invisible",
            )


@cache
def visible_pattern() -> "re.Pattern[str]":
    """Matches texts of visible characters, without blanks around them.

    It is made from `is_visible`, for descriptions of the API, in the regular expressions that
    Python, JSON Schema and XML Schema have in common. Characters that nobody has defined are left
    to the validator: they would be 700 ranges, and others with the next version of Unicode.
    """
    characters = [chr(code) for code in range(sys.maxunicode + 1)]
    unseen = _ranges(characters, lambda one: not is_visible(one))
    at_ends = _ranges(characters, lambda one: one.isspace() or not is_visible(one))
    return re.compile(f"^[^{at_ends}]([^{unseen}]*[^{at_ends}])?$")


def _ranges(characters: Sequence[str], belongs: Callable[[str], bool]) -> str:
    """The characters that belong, as they stand between brackets."""
    found: list[tuple[str, str]] = []
    first = last = ""
    for character in characters:
        if unicodedata.category(character) == "Cn":
            continue
        if belongs(character):
            first, last = first or character, character
        elif first:
            found.append((first, last))
            first = ""
    if first:
        found.append((first, last))
    return "".join(
        _written(first) if first == last else f"{_written(first)}-{_written(last)}"
        for first, last in found
    )


def _written(character: str) -> str:
    """Escaped where it cannot be written into a document."""
    code = ord(character)
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if 0xD800 <= code <= 0xDFFF else character


def folded(text: str) -> str:
    """Equal for texts that differ in nothing but case, or in how their accents are stored."""
    composed = unicodedata.normalize("NFC", text).casefold()
    return unicodedata.normalize("NFC", composed)


def visible(text: str) -> str:
    """The text composed, without the characters that a name may not have."""
    composed = unicodedata.normalize("NFC", text)
    return "".join(filter(is_visible, composed)).strip()


def mend(rows: "models.QuerySet[Any]", fields: Sequence[str]) -> None:
    """For migrations: make the names of these rows visible.

    One that had nothing to be seen becomes "?", one that another row has gets a number.
    """
    for field in fields:
        names = dict(rows.values_list("pk", field))
        if {name for name in names.values() if visible(name) != name}:
            _mend_field(rows, field, names)


def _mend_field(rows: "models.QuerySet[Any]", field: str, names: dict[Any, str]) -> None:
    taken = {folded(name) for name in names.values() if visible(name) == name}
    longest = rows.model._meta.get_field(field).max_length
    for pk, name in names.items():
        if visible(name) == name:
            continue
        mended = visible(name) or ("?" if name else "")
        if not _may_be_shared(field):
            mended = _numbered(mended, taken, longest)
            taken.add(folded(mended))
        rows.filter(pk=pk).update(**{field: mended})


def _may_be_shared(field: str) -> bool:
    return field not in {"name", "label"}


def _numbered(name: str, taken: set[str], longest: int) -> str:
    """The name, with a number if it is taken."""
    number, found = 1, name
    while folded(found) in taken:
        number += 1
        found = f"{name[: longest - 8]} ({number})"
    return found


def tell_apart(rows: "models.QuerySet[Any]", field: str) -> None:
    """For migrations: names that are equal but for their case get a number, all but the first."""
    names = dict(rows.order_by("pk").values_list("pk", field))
    taken = {folded(name) for name in names.values()}
    longest = rows.model._meta.get_field(field).max_length
    seen: set[str] = set()
    for pk, name in names.items():
        if folded(name) in seen:
            mended = _numbered(name, taken, longest)
            taken.add(folded(mended))
            rows.filter(pk=pk).update(**{field: mended})
        seen.add(folded(name))


class NameField(_CharField):
    """A CharField whose text is composed (NFC) and visible, whichever way it comes in.

    Forms and the API ask `clean`; what is saved or updated without it is refused, too, by a
    ValidationError. Migrations see a plain CharField.
    """

    default_validators = [validate_visible]

    def deconstruct(self) -> Any:
        name, _, arguments, options = super().deconstruct()
        return name, "django.db.models.CharField", arguments, options

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        return unicodedata.normalize("NFC", text) if isinstance(text, str) else text

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        text = super().pre_save(model_instance, add)
        if isinstance(text, str):
            text = self.to_python(text)
            setattr(model_instance, self.attname, text)
        return text

    def get_db_prep_save(self, value: Any, connection: Any) -> Any:
        if isinstance(value, str):
            validate_visible(value)
        return super().get_db_prep_save(value, connection)


class UniqueNameField(NameField):
    """A NameField that no rival of its row may share, in whatever case.

    The model's `rivals()` says which rows these are. Forms and whatever saves a row are refused by
    a ValidationError. For other writes, and for two at the same moment, the model has a unique
    constraint of `Lower`: databases know the cases of fewer alphabets.
    """

    def deconstruct(self) -> Any:
        name, path, arguments, options = super().deconstruct()
        options.pop("error_messages", None)
        return name, path, arguments, options

    def validate(self, value: Any, model_instance: models.Model | None) -> None:
        super().validate(value, model_instance)
        if model_instance is not None:
            self.refuse_taken(value, model_instance)

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        text = super().pre_save(model_instance, add)
        self.refuse_taken(text, model_instance)
        return text

    def refuse_taken(self, text: str, row: Any) -> None:
        """Raises ValidationError."""
        if self.is_taken(text, row):
            names = {"model_name": self.model._meta.verbose_name, "field_label": self.verbose_name}
            raise ValidationError(self.error_messages["unique"], code="unique", params=names)

    def is_taken(self, text: str, row: Any) -> bool:
        """Compared in Python, since databases differ in the alphabets whose cases they know."""
        name = folded(text)
        return any(
            folded(other) == name for other in row.rivals().values_list(self.name, flat=True)
        )
