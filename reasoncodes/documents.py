"""A reason code as Finesse shows it, whole and embedded."""

from collections.abc import Collection
from typing import Any

from reasoncodes.languages import label_in
from reasoncodes.models import ReasonCode
from reasoncodes.selection import ListedReasonCode


def represent(
    reason_code: ReasonCode | ListedReasonCode, languages: tuple[str, ...] = ()
) -> dict[str, Any]:
    """The children of `<ReasonCode>` [ReasonCode], in the order of real answers.

    With `languages` the label is in the first of these that it has.
    """
    label = reason_code.label
    if languages:
        label = label_in(languages, label, reason_code.translations)
    return {
        "uri": reason_code.uri,
        "id": reason_code.pk,
        "category": reason_code.category,
        "code": reason_code.code,
        "label": label,
        "forAll": reason_code.for_all,
        "systemCode": reason_code.system_code,
    }


def represent_embedded(
    reason_code: ReasonCode | ListedReasonCode, *, system_code: bool = False
) -> dict[str, Any]:
    """The children of a `<ReasonCode>` in a Media; a User's has `systemCode`, too."""
    children: dict[str, Any] = {
        "category": reason_code.category,
        "code": reason_code.code,
        "forAll": reason_code.for_all,
        "id": reason_code.pk,
        "label": reason_code.label,
    }
    if system_code:
        children["systemCode"] = reason_code.system_code
    children["uri"] = reason_code.uri
    return children


def represent_list(
    reason_codes: Collection[ReasonCode | ListedReasonCode],
    category: str,
    languages: tuple[str, ...] = (),
) -> dict[str, Any]:
    """The document `<ReasonCodes category="…">`."""
    found = [represent(reason_code, languages) for reason_code in reason_codes]
    return {"ReasonCodes": {"@category": category, "ReasonCode": found}}
