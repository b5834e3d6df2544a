"""Two people who edit the same thing in a form: the second is told, and nothing is overwritten.

The form carries a token of what it shows, in a field `version`. Under the writer's lock that is
compared with what is stored. What the second has not touched is brought up to date; what both have
changed stays as it was typed, and is saved only when it is sent once more.
"""

from collections.abc import Iterable
from typing import Any, Protocol

from django import forms
from django.core.exceptions import ValidationError


class Past(Protocol):
    """What has become of the thing since a form was opened."""

    def token(self) -> str:
        """Of what is stored now."""

    def shown_before(self, token: str) -> dict[str, Any] | None:
        """What the form showed when it was opened, for each field that has changed since.

        None if nothing has changed, or if the token is none.
        """

    def told_since(self, token: str) -> Iterable[str]:
        """The changes since, each in a line: by whom, when, and what."""

    def put(self, data: Any, name: str, value: Any) -> None:
        """Put a value into the data of a form, as a browser would send it."""


def refuse_stale(form: "forms.ModelForm[Any]", past: Past) -> None:
    """Adds an error if somebody has changed the thing since the form was opened; call it under the
    lock, in `clean`."""
    opened = str(form.cleaned_data.get("version") or "")
    before = past.shown_before(opened)
    if before is None:
        return
    told = " ".join(f"{line}." for line in past.told_since(opened))
    _bring_up_to_date(form, past, before)
    form.add_error(
        None,
        ValidationError(
            f"It was changed while you had it open. {told} Nothing of yours is saved yet. What you "
            "typed is still here, and what you had not touched shows the new values. Look at it, "
            "and save again.",
            code="stale",
        ),
    )


def _bring_up_to_date(form: "forms.ModelForm[Any]", past: Past, before: dict[str, Any]) -> None:
    data: Any = form.data.copy()  # type: ignore[attr-defined]
    data["version"] = past.token()
    for name, shown in before.items():
        field = form.fields.get(name)
        if field is None or field.disabled:
            continue
        given = field.widget.value_from_datadict(form.data, form.files, name)
        if not field.has_changed(shown, given):
            past.put(data, name, form.initial.get(name))
    form.data = data
