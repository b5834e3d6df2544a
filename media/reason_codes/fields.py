"""The fields of a reason code's form that Django has not: a colour or none, labels by language."""

import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.datastructures import MultiValueDict

from finesse.db.names import validate_visible

PALETTE = {
    "#b3452c": "Brick",
    "#a65e00": "Amber",
    "#5f7a1f": "Olive",
    "#0f7b4f": "Green",
    "#0b7a83": "Teal",
    "#2a6fbf": "Blue",
    "#7657c7": "Violet",
    "#b23f78": "Rose",
    "#687587": "Grey",
}
"""Colours that can be told from the page in light and in dark."""
LANGUAGES = {
    "cs": "Czech",
    "da": "Danish",
    "de": "German",
    "en": "English",
    "es": "Spanish",
    "fi": "Finnish",
    "fr": "French",
    "it": "Italian",
    "ja": "Japanese",
    "ko": "Korean",
    "nl": "Dutch",
    "no": "Norwegian",
    "pl": "Polish",
    "pt": "Portuguese",
    "ru": "Russian",
    "sv": "Swedish",
    "tr": "Turkish",
    "zh": "Chinese",
}
_TAG = re.compile(r"[a-z]{2,3}([-_][A-Za-z0-9]{2,8})*")
_COLOUR = re.compile(r"#[0-9a-f]{6}")
EMPTY_ROWS = 2


class ColourWidget(forms.MultiWidget):
    """A check box, since a browser's field for colours knows no "none", and that field."""

    template_name = "reason_codes/colour.html"

    def __init__(self) -> None:
        super().__init__(
            {
                "on": forms.CheckboxInput(attrs={"aria-label": "Show a colour"}),
                "is": forms.TextInput(attrs={"type": "color", "aria-label": "Colour"}),
            }
        )

    def decompress(self, value: Any) -> list[Any]:
        return [bool(value), value or next(iter(PALETTE))]

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        return super().get_context(name, value, attrs) | {"palette": PALETTE.items()}


class ColourField(forms.MultiValueField):
    """ "#rrggbb", or nothing."""

    widget = ColourWidget

    def __init__(self, **options: Any) -> None:
        fields = (forms.BooleanField(required=False), forms.CharField(required=False))
        super().__init__(fields, require_all_fields=False, required=False, **options)

    def compress(self, data_list: Any) -> str:
        is_on, colour = data_list or (False, "")
        if not is_on:
            return ""
        text = str(colour or "").lower()
        if not _COLOUR.fullmatch(text):
            raise ValidationError("A colour looks like #1b6e53.")
        return text

    def has_changed(self, initial: Any, data: Any) -> bool:
        given = data if isinstance(data, list) else ColourWidget().decompress(data)
        try:
            return self.compress(given) != (initial or "")
        except ValidationError:
            return True


class TranslationsWidget(forms.Widget):
    """One row for each language, and some empty ones."""

    template_name = "reason_codes/translations.html"
    use_fieldset = True

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        rows = list(value.items()) if isinstance(value, dict) else list(value or ())
        rows += [("", "")] * EMPTY_ROWS
        names = dict(LANGUAGES) | {tag: tag for tag, _ in rows if tag and tag not in LANGUAGES}
        return super().get_context(name, value, attrs) | {"rows": rows, "languages": names.items()}

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[tuple[str, str]]:
        if not isinstance(data, MultiValueDict):
            return list((data.get(name) or {}).items())
        tags, labels = data.getlist(f"{name}_language"), data.getlist(f"{name}_label")
        rows = zip(tags, labels, strict=False)
        return [(tag.strip(), label.strip()) for tag, label in rows if tag or label.strip()]

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return f"{name}_language" not in data

    def id_for_label(self, id_: str) -> str:
        return ""


class TranslationsField(forms.Field):
    """{"de": "Mittagspause"}, from rows of a language and a label."""

    widget = TranslationsWidget

    def __init__(self, *, max_length: int, **options: Any) -> None:
        self.max_length = max_length
        super().__init__(required=False, **options)

    def clean(self, value: Any) -> dict[str, str]:
        found: dict[str, str] = {}
        for tag, label in value or ():
            self._refuse_row(tag, label, found)
            found[tag] = label
        return found

    def _refuse_row(self, tag: str, label: str, before: dict[str, str]) -> None:
        if not tag:
            raise ValidationError(f"Choose the language of “{label}”.")
        language = LANGUAGES.get(tag, tag)
        if not _TAG.fullmatch(tag):
            raise ValidationError(f"“{tag}” is no language.")
        if not label:
            raise ValidationError(f"Write the label in {language}, or take the language away.")
        if tag in before:
            raise ValidationError(f"{language} is there twice: keep one of the two.")
        if len(label) > self.max_length:
            raise ValidationError(
                f"The label in {language} has {len(label)} characters; "
                f"{self.max_length} is the most."
            )
        validate_visible(label)

    def has_changed(self, initial: Any, data: Any) -> bool:
        return list((initial or {}).items()) != [tuple(row) for row in data or ()]
