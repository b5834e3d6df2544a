"""Labels in several languages: which one a caller gets.

The pages of the protocol name no header for it. The official client sends `locale`, with a tag of
the desktop's list of languages (de_DE); browsers and libraries send `Accept-Language`. The first
counts before the second, since somebody has chosen it. Clients that send neither get the label as
it was written, and so do those whose languages it is not translated into.
"""

import re
from collections.abc import Mapping
from typing import Any, Protocol

from django.conf import settings
from django.conf.locale import LANG_INFO
from django.core.exceptions import ValidationError
from django.utils.translation.trans_real import parse_accept_lang_header

from finesse.db.names import folded, validate_visible

LONGEST_LABEL = 40
MOST_LANGUAGES = 30
"""Of one label."""


class Labelled(Protocol):
    """A reason code, as far as labels are concerned."""

    label: Any
    translations: Any


_TAG = re.compile(r"([A-Za-z]{2,3})(?:[-_]([A-Za-z]{4}))?(?:[-_]([A-Za-z]{2}|[0-9]{3}))?")


def tag(text: str) -> str:
    """A language's tag as it is stored: de, pt-BR, zh-Hant. "" for what is none."""
    found = _TAG.fullmatch(text.strip())
    if found is None:
        return ""
    language, script, region = found.groups(default="")
    return "-".join(filter(None, (language.lower(), script.title(), region.upper())))


def language_name(language: str) -> str:
    """As people say it: German, Brazilian Portuguese; the tag of one that Django does not know."""
    known: dict[str, Any] = LANG_INFO.get(language.lower(), {})
    return str(known.get("name", language))


def validate_translations(value: Any) -> None:
    """Raises ValidationError for what are not labels by their languages."""
    if not isinstance(value, dict):
        raise ValidationError('Give the labels by their languages, as in {"de": "Mittagspause"}.')
    if len(value) > MOST_LANGUAGES:
        raise ValidationError(f"A label can have {MOST_LANGUAGES} languages at most.")
    for language, label in value.items():
        _validate_translation(language, label)


def _validate_translation(language: str, label: Any) -> None:
    if tag(language) != language:
        known = tag(language)
        hint = f"Write {known}." if known else "Write tags as in de, fr or pt-BR."
        raise ValidationError(f"“{language[:40]}” is no language. {hint}", code="language")
    name = language_name(language)
    if not isinstance(label, str) or not label.strip():
        raise ValidationError(
            f"The label in {name} is empty. Write one, or take {name} away.", code="empty"
        )
    if label != label.strip():
        raise ValidationError(f"The label in {name} has blanks around it.", code="blanks")
    if len(label) > LONGEST_LABEL:
        raise ValidationError(
            f"The label in {name} has {len(label)} characters, and {LONGEST_LABEL} at most fit.",
            code="long",
        )
    try:
        validate_visible(label)
    except ValidationError as error:
        raise ValidationError(f"The label in {name}: {error.messages[0]}", code="visible") from None


def asked_for(meta: Mapping[str, Any]) -> tuple[str, ...]:
    """The languages that a request asks for, the preferred one first; () if it names none.

    `meta` is Django's `request.META`.
    """
    if chosen := tag(meta.get("HTTP_LOCALE", "")):
        return (chosen,)
    accepted = meta.get("HTTP_ACCEPT_LANGUAGE", "")
    if not accepted:
        return ()
    return tuple(
        language if language == "*" else tag(language)
        for language, quality in parse_accept_lang_header(accepted)
        if quality > 0
    )


def label_in(languages: tuple[str, ...], label: str, translations: Mapping[str, str]) -> str:
    """The label in the first of these languages that it has, and else as it was written."""
    if not translations:
        return label
    for language in languages:
        if found := _lookup(language, translations):
            return found
        if language == "*" or _base(language) == _base(settings.FINESSE_LABEL_LANGUAGE):
            return label
    return label


def read_in(language: str, reason_code: Labelled) -> str:
    """What readers of this language get, to be compared with what another code is called there."""
    return folded(label_in((language,), reason_code.label, reason_code.translations))


def same_language(reason_code: Labelled, other: Labelled) -> str:
    """The tag of a language in which both are called the same; "" if there is none.

    A label that is not translated is read in every language. Where neither has a translation,
    both are called by their labels, which is another question.
    """
    tags = {*reason_code.translations, *other.translations}
    return next(
        (one for one in sorted(tags) if read_in(one, reason_code) == read_in(one, other)), ""
    )


def _lookup(language: str, translations: Mapping[str, str]) -> str | None:
    """The tag itself, then with less and less of it (RFC 4647), then any of the language."""
    parts = language.split("-")
    for length in range(len(parts), 0, -1):
        if found := translations.get("-".join(parts[:length])):
            return found
    of_language = (other for other in sorted(translations) if _base(other) == parts[0])
    # Not of the language in which labels are written: "en-GB" says nothing to an American.
    if parts[0] == _base(settings.FINESSE_LABEL_LANGUAGE):
        return None
    return next((translations[other] for other in of_language), None)


def _base(language: str) -> str:
    return language.split("-")[0].lower()
