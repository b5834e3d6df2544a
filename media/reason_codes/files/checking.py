"""The rules for one reason code of a file: those of its form, of the API and of access."""

from collections.abc import Callable, Sequence
from typing import Any

from django.core.exceptions import ValidationError

from finesse.files.plan import PlannedRow
from media.reason_codes.files.columns import OFFERED_TO, Offer, ReasonCodeResource
from media.reason_codes.files.present import Present
from reasoncodes.census import Census
from reasoncodes.languages import label_in, language_name
from reasoncodes.models import ReasonCode

_LABEL: Any = ReasonCode._meta.get_field("label")


def check_values(row: PlannedRow, code: ReasonCode, resource: ReasonCodeResource) -> None:
    """Each value by itself: as the model says. Nothing is asked of the database."""
    try:
        code.label = _LABEL.clean(code.label, None)
    except ValidationError as error:
        row.refuse("label", _sentences(error))
    checks: Sequence[Callable[[], None]] = (
        lambda: code.clean_fields(exclude={"label"}),
        code.clean_alone,
    )
    for check in checks:
        try:
            check()
        except ValidationError as error:
            for attribute, errors in error.error_dict.items():
                row.refuse(resource.column_of(attribute), _sentences(ValidationError(errors)))


def check_access(
    row: PlannedRow, code: ReasonCode, stored: ReasonCode | None, present: Present
) -> None:
    """What the user may do: as `reasoncodes.access` says."""
    offer: Offer = code.offered_to  # type: ignore[attr-defined]
    if stored is not None and stored.pk not in present.changeable:
        row.refuse("", _why_not_changeable(stored))
    elif offer.for_all != (stored.for_all if stored else False) and not present.manages_global:
        row.refuse(
            OFFERED_TO,
            "Global codes are an administrator’s: write names of your teams instead, or ask an "
            "administrator.",
        )
    elif stored and stored.for_all and not offer.for_all and present.hidden_teams.get(stored.pk):
        row.refuse(OFFERED_TO, "It was offered to other teams, too: ask an administrator.")
    elif not (offer.for_all or offer.teams or present.is_administrator):
        row.refuse(
            OFFERED_TO, "It would belong to nobody, and you could not find it again. Name a team."
        )


def _why_not_changeable(stored: ReasonCode) -> str:
    if stored.system_code:
        return f"{stored.code} is reserved by the system: {stored.label}. Choose another code."
    if stored.for_all:
        return "It is a global code, and would be changed: ask an administrator."
    return "It is not offered to your teams alone, and would be changed: ask an administrator."


def check_rivals(row: PlannedRow, code: ReasonCode, census: Census, present: Present) -> None:
    """Uniqueness and limits, once all rows before this one are saved."""
    for name, rival in census.rivals(code).items():
        if name == "translations":
            _refuse_namesake(row, code, census, present)
            continue
        free = f"{census.next_free(code.category)} is free. " if name == "code" else ""
        row.refuse(name, f"{_taken(name, rival, present)} {free}Change one of the two.")
    if not row.is_refused and census.exceeds(code):
        row.refuse(
            "",
            f"This category has {code.limit} {code.scope} reason codes already. Retire one of "
            "them first.",
        )


def _refuse_namesake(row: PlannedRow, code: ReasonCode, census: Census, present: Present) -> None:
    namesake = census.namesake(code)
    if namesake is None:
        return
    rival, language = namesake
    label = label_in((language,), code.label, code.translations)
    is_seen = not rival.pk or rival.pk in present.visible
    row.refuse(
        f"label {language}" if language in code.translations else "label",
        f"In {language_name(language)} agents would read “{label}” for it and for "
        f"{rival if is_seen else 'a reason code of another team'}. Change one of the two.",
    )


def _taken(name: str, rival: ReasonCode, present: Present) -> str:
    if rival.pk and rival.pk not in present.visible:
        return f"A reason code of another team has this {name}."
    if rival.system_code:
        return f"This {name} is reserved by the system: {rival.code}, “{rival.label}”."
    return f"{rival} has this {name}, too."


def _sentences(error: ValidationError) -> str:
    return " ".join(error.messages)
