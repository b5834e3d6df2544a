"""Two supervisors who edit the same reason code: the second is told, and nothing is overwritten.

The form carries the version that it shows. Under the writer's lock that one is compared with the
latest. What the second has not touched is brought up to date; what both have changed stays as it
was typed, and is saved only when it is sent once more.
"""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.formats import date_format
from django.utils.timezone import localtime

from finesse.users.models import User
from reasoncodes.access import versions_visible_to
from reasoncodes.history import KEPT, Version
from reasoncodes.models import ReasonCode
from reasoncodes.record import Entry, Reader


def latest_version_id(pk: int) -> int:
    """The id of the latest version; 0 if there is none."""
    newest = Version.objects.filter(id=pk).order_by("-history_id").values_list("pk", flat=True)
    return newest.first() or 0


def refuse_stale(form: forms.ModelForm) -> None:
    """Adds an error if the code has changed since the form was opened; call it under the lock."""
    opened = str(form.cleaned_data.get("version") or "")
    versions = Version.objects.filter(id=form.instance.pk).order_by("history_id")
    latest = versions.last()
    if not opened.isdecimal() or latest is None or latest.pk <= int(opened):
        return
    user: User = form.user  # type: ignore[attr-defined]
    since = versions_visible_to(user).filter(id=form.instance.pk, history_id__gt=int(opened))
    entries = Reader(user).entries(since.order_by("history_id"))
    _bring_up_to_date(form, versions.filter(history_id__lte=int(opened)).last(), latest)
    form.add_error(None, ValidationError(_told(entries), code="stale"))


def in_words(entry: Entry) -> str:
    """What one change did, in a line: "Retired", "Changed: Label: Lunch → Meal"."""
    said = "; ".join(map(str, entry.differences))
    return f"{entry.what}: {said}" if said else entry.what


def moment_of(entry: Entry) -> str:
    return date_format(localtime(entry.at), "j M Y, H:i")


def _told(entries: Iterable[Entry]) -> str:
    changes = " ".join(f"{one.who}, {moment_of(one)}: {in_words(one)}." for one in entries)
    return (
        f"It was changed while you had it open. {changes} Nothing of yours is saved yet. What you "
        "typed is still here, and what you had not touched shows the new values. Look at it, and "
        "save again."
    )


def _bring_up_to_date(form: forms.ModelForm, opened: Any, latest: Any) -> None:
    data: Any = form.data.copy()  # type: ignore[attr-defined]
    data["version"] = str(latest.pk)
    for name, before in _changed_since(form, opened, latest).items():
        field = form.fields.get(name)
        if field is None or field.disabled:
            continue
        given = field.widget.value_from_datadict(form.data, form.files, name)
        if not field.has_changed(before, given):
            _put(data, name, form.initial.get(name))
    form.data = data


def _changed_since(form: forms.ModelForm, opened: Any, latest: Any) -> dict[str, Any]:
    """What the form showed when it was opened, for each field that has changed since."""
    if opened is None:
        return {}
    was: ReasonCode = opened.instance
    shown = {
        name: getattr(was, name) for name in KEPT if getattr(opened, name) != getattr(latest, name)
    }
    if "for_all" in shown:
        shown["for_all"] = "on" if was.for_all else ""
    if "productive" in shown:
        shown["productive"] = "" if was.productive is None else str(was.productive)
    if opened.team_names.keys() != latest.team_names.keys() and "teams" in form.fields:
        offered = form.fields["teams"].queryset  # type: ignore[attr-defined]
        shown["teams"] = list(offered.filter(pk__in=opened.team_names))
    return shown


def _put(data: Any, name: str, value: Any) -> None:
    """As a browser would send it."""
    if name == "colour":
        for key in ("colour_on", "colour_is"):
            data.pop(key, None)
        data.update({"colour_on": "on", "colour_is": value} if value else {})
    elif name == "translations":
        data.setlist(f"{name}_language", list(value or {}))
        data.setlist(f"{name}_label", list((value or {}).values()))
    elif isinstance(value, list):
        data.setlist(name, [one.pk for one in value])
    else:
        data[name] = "" if value is None else value
