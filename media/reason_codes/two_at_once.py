"""Two supervisors who edit the same reason code: the second is told, and nothing is overwritten.

The form carries the version that it shows. Under the writer's lock that one is compared with the
latest. What the second has not touched is brought up to date; what both have changed stays as it
was typed, and is saved only when it is sent once more.
"""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.formats import date_format
from django.utils.timezone import localtime

from finesse.users.access import supervised_teams, visible_users
from finesse.users.models import User
from media.reason_codes.wording import differences
from reasoncodes.history import Version
from reasoncodes.models import ReasonCode


def latest_version(pk: int) -> int:
    """The id of the latest version; 0 if there is none."""
    newest = Version.objects.filter(id=pk).order_by("-history_id").first()
    return newest.pk if newest else 0


def refuse_stale(form: forms.ModelForm) -> None:
    """Adds an error if the code has changed since the form was opened; call it under the lock."""
    opened, versions = str(form.cleaned_data.get("version") or ""), _versions(form.instance.pk)
    latest = versions.last()
    if not opened.isdecimal() or latest is None or latest.pk <= int(opened):
        return
    base = versions.filter(history_id__lte=int(opened)).last()
    user: User = form.user  # type: ignore[attr-defined]
    changes = differences(base, latest, supervised_teams(user)) if base else []
    _bring_up_to_date(form, base, latest, [one.name for one in changes])
    form.add_error(None, ValidationError(_told(user, latest, changes), code="stale"))


def author(version: Any, reader: User) -> str:
    """Who has made this version, as far as its reader may know."""
    login_id = version.history_user_id
    if not login_id:
        return "The system"
    found = visible_users(reader).filter(pk=login_id).first()
    return found.get_full_name() if found else "Another user"


def moment_of(version: Any) -> str:
    return date_format(localtime(version.history_date), "j M Y, H:i")


def _versions(pk: int) -> Any:
    return Version.objects.filter(id=pk).order_by("history_id")


def _told(user: User, latest: Any, changes: list[Any]) -> str:
    what = "; ".join(str(one) for one in changes) or "it was saved again"
    return (
        f"{author(latest, user)} changed this code while you had it open "
        f"({moment_of(latest)}): {what}. Nothing of yours is saved yet. What you typed is still "
        "there, and what you had not touched shows the new values: look at it, and save again."
    )


def _bring_up_to_date(form: forms.ModelForm, base: Any, latest: Any, changed: list[str]) -> None:
    data: Any = form.data.copy()  # type: ignore[attr-defined]
    data["version"] = str(latest.pk)
    before = _initial(form, base) if base else {}
    for name in changed:
        field = form.fields.get(name)
        if field is None or name not in before or field.disabled:
            continue
        given = field.widget.value_from_datadict(form.data, form.files, name)
        if not field.has_changed(before[name], given):
            _put(data, name, form.initial.get(name))
    form.data = data


def _initial(form: forms.ModelForm, version: Any) -> dict[str, Any]:
    """What the form showed when it was opened: only what may differ from what it shows now."""
    code: ReasonCode = version.instance
    shown = {name: getattr(code, name, None) for name in form.fields if name != "teams"}
    shown["for_all"] = "on" if code.for_all else ""
    shown["productive"] = "" if code.productive is None else str(code.productive)
    if "teams" in form.fields:
        offered = form.fields["teams"].queryset  # type: ignore[attr-defined]
        shown["teams"] = list(offered.filter(pk__in=version.team_names))
    return shown


def _put(data: Any, name: str, value: Any) -> None:
    """As a browser would send it."""
    if name == "colour":
        for key in (f"{name}_on", f"{name}_is"):
            data.pop(key, None)
        data.update({f"{name}_on": "on", f"{name}_is": value} if value else {})
    elif name == "translations":
        data.setlist(f"{name}_language", list(value or {}))
        data.setlist(f"{name}_label", list((value or {}).values()))
    elif isinstance(value, list):
        data.setlist(name, [one.pk for one in value])
    else:
        data[name] = "" if value is None else value
