"""The fields of a reason code's form that Django has not: a colour or none, labels by language."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.datastructures import MultiValueDict

from reasoncodes.colours import PALETTE
from reasoncodes.languages import language_name

OFFERED_LANGUAGES = (
    *("cs", "da", "de", "el", "en", "es", "fi", "fr", "hu", "it", "ja", "ko", "nl", "nb", "pl"),
    *("pt", "pt-BR", "ru", "sv", "tr", "zh-Hans", "zh-Hant"),
)
"""Those of the desktop, which agents choose from. Others may come in by an import."""
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
        return [bool(value), value or PALETTE["Teal"]]

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
        return str(colour or "").lower()

    def has_changed(self, initial: Any, data: Any) -> bool:
        given = data if isinstance(data, list) else ColourWidget().decompress(data)
        return self.compress(given) != (initial or "")


class TranslationsWidget(forms.Widget):
    """One row for each language, and some empty ones."""

    template_name = "reason_codes/translations.html"
    use_fieldset = True

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        rows = list(value.items()) if isinstance(value, dict) else list(value or ())
        rows += [("", "")] * EMPTY_ROWS
        tags = {*OFFERED_LANGUAGES, *(tag for tag, _ in rows if tag)}
        languages = sorted((language_name(tag), tag) for tag in tags)
        return super().get_context(name, value, attrs) | {"rows": rows, "languages": languages}

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

    def clean(self, value: Any) -> dict[str, str]:
        """The model's own checks follow."""
        found: dict[str, str] = {}
        for tag, label in value or ():
            if not tag:
                raise ValidationError(f"Choose the language of “{label}”.")
            if tag in found:
                name = language_name(tag)
                raise ValidationError(f"{name} is there twice: keep one of the two.")
            found[tag] = label
        return found

    def has_changed(self, initial: Any, data: Any) -> bool:
        return list((initial or {}).items()) != [tuple(row) for row in data or ()]
