"""Codes and labels that are taken already: which one to take instead, and what else to do."""

from django.db.models import Max, QuerySet
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString

from finesse.db.names import folded
from finesse.users.models import User
from reasoncodes.access import changeable_by, visible_to
from reasoncodes.history import Version
from reasoncodes.languages import label_in, language_name
from reasoncodes.models import Category, ReasonCode

HIGHEST = 65535


def next_free(category: str) -> int:
    """The lowest number that no reason code of the category has, or has had before it was retired.

    0 if there is none.
    """
    taken = set(ReasonCode.objects.filter(category=category).values_list("code", flat=True))
    return next((code for code in range(1, HIGHEST + 1) if code not in taken), 0)


def free_numbers() -> dict[str, int]:
    """The next free number of each category."""
    return {category.value: next_free(category) for category in Category}


def code_taken(reason_code: ReasonCode, by: User) -> str | SafeString:
    """Who has its number already, and what to do; empty if nobody has it."""
    rival = reason_code.rivals().filter(code=reason_code.code).first()
    if rival is None:
        return ""
    advice = f"{next_free(reason_code.category)} is free."
    if rival.system_code:
        name = rival.label.rpartition(" - ")[2]
        return f"{rival.code} is reserved by the system: {name}. {advice}"
    return _taken(rival, by, f"{rival.code} is the code of", "has this code", advice)


def label_taken(reason_code: ReasonCode, by: User) -> str | SafeString:
    """Who has its label already, and what to do; empty if nobody has it."""
    rival = _with_label(reason_code.rivals(), reason_code.label)
    if rival is None:
        return ""
    if rival.system_code:
        return (
            f"“{rival.label}” is reserved by the system, code {rival.code}. Choose another label."
        )
    advice = "Choose another label, or change that one."
    return _taken(rival, by, "This is the label of", "has this label", advice)


def translation_taken(reason_code: ReasonCode, by: User) -> str | SafeString:
    """Who is called the same in another language, and what to do; empty if nobody is.

    A label counts in every language into which it is not translated.
    """
    found = reason_code.namesake()
    if found is None:
        return ""
    rival, language = found
    name = language_name(language)
    label = label_in((language,), reason_code.label, reason_code.translations)
    of = f"In {name} agents would read “{label}” for this code and for"
    advice = f"Choose another label in {name}, or change that one."
    if rival.system_code:
        return f"{of} {rival.code} “{rival.label}”, which is reserved by the system. {advice}"
    if not visible_to(by).filter(pk=rival.pk).exists():
        return f"{of} a code of another team. Choose another label in {name}."
    return _named(rival, of, advice)


def retired_before(reason_code: ReasonCode, by: User) -> ReasonCode | None:
    """A retired one of the category with this label, which the user could bring back instead."""
    retired = changeable_by(by).filter(category=reason_code.category, retired=True)
    return _with_label(retired.exclude(pk=reason_code.pk), reason_code.label)


def retired_since(reason_code: ReasonCode) -> str:
    """The month in which it was retired, as in "May 2026"; empty if the history does not know."""
    versions = Version.objects.filter(id=reason_code.pk)
    before = versions.filter(retired=False).aggregate(last=Max("history_id"))["last"] or 0
    first = versions.filter(history_id__gt=before, retired=True).order_by("history_id").first()
    return date_format(first.history_date, "F Y") if first else ""


def _with_label(codes: "QuerySet[ReasonCode]", label: str) -> ReasonCode | None:
    # Compared in Python, as `UniqueNameField` does.
    wanted = folded(label)
    return next((code for code in codes if folded(code.label) == wanted), None)


def _taken(rival: ReasonCode, by: User, of: str, has: str, advice: str) -> str | SafeString:
    if not visible_to(by).filter(pk=rival.pk).exists():
        # Its label is not the user's to read.
        return f"A reason code of another team {has}. {advice}"
    return _named(rival, of, advice)


def _named(rival: ReasonCode, of: str, advice: str) -> SafeString:
    return format_html(
        '{} <a href="{}">{}, code {}</a>. {}', of, _page(rival), rival.label, rival.code, advice
    )


def _page(reason_code: ReasonCode) -> str:
    return reverse("admin:reasoncodes_reasoncode_change", args=[reason_code.pk])


def translations_of(old: ReasonCode, label: str) -> dict[str, str]:
    """Those of a code in the old one's place: they are of the label, and go with it."""
    kept: dict[str, str] = old.translations if folded(label) == folded(old.label) else {}
    return kept
