"""Names and labels: texts that people read, tell apart and look for."""

import unicodedata
from collections.abc import Sequence
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
        wanted = visible(name) or ("?" if name else "")
        number = 1
        mended = wanted
        while folded(mended) in taken and not _may_be_shared(field):
            number += 1
            mended = f"{wanted[: longest - 8]} ({number})"
        taken.add(folded(mended))
        rows.filter(pk=pk).update(**{field: mended})


def _may_be_shared(field: str) -> bool:
    return field not in {"name", "label"}


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
