"""What has become of a reason code since its form was opened: its versions tell (`two_at_once`)."""

from collections.abc import Iterator
from typing import Any

from django import forms
from django.utils.formats import date_format
from django.utils.timezone import localtime

from finesse.users.models import User
from reasoncodes.access import versions_visible_to
from reasoncodes.history import KEPT, Version
from reasoncodes.models import ReasonCode
from reasoncodes.record import Entry, Reader


class PastOfCode:
    """A `media.two_at_once.Past`. The token is the id of the latest version."""

    def __init__(self, form: forms.ModelForm) -> None:
        self._form = form
        self._user: User = form.user  # type: ignore[attr-defined]
        self._versions = Version.objects.filter(id=form.instance.pk).order_by("history_id")

    def token(self) -> str:
        """0 if there is no version."""
        latest = self._versions.last()
        return str(latest.pk if latest else 0)

    def shown_before(self, token: str) -> dict[str, Any] | None:
        latest = self._versions.last()
        if not token.isdecimal() or latest is None or latest.pk <= int(token):
            return None
        opened = self._versions.filter(history_id__lte=int(token)).last()
        return self._changed(opened, latest)

    def told_since(self, token: str) -> Iterator[str]:
        since = versions_visible_to(self._user).filter(
            id=self._form.instance.pk, history_id__gt=int(token)
        )
        for one in Reader(self._user).entries(since.order_by("history_id")):
            yield f"{one.who}, {moment_of(one)}: {in_words(one)}"

    def put(self, data: Any, name: str, value: Any) -> None:
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

    def _changed(self, opened: Any, latest: Any) -> dict[str, Any]:
        if opened is None:
            return {}
        was: ReasonCode = opened.instance
        shown = {
            name: getattr(was, name)
            for name in KEPT
            if getattr(opened, name) != getattr(latest, name)
        }
        if "for_all" in shown:
            shown["for_all"] = "on" if was.for_all else ""
        if "productive" in shown:
            shown["productive"] = "" if was.productive is None else str(was.productive)
        if opened.team_names.keys() != latest.team_names.keys() and "teams" in self._form.fields:
            offered = self._form.fields["teams"].queryset  # type: ignore[attr-defined]
            shown["teams"] = list(offered.filter(pk__in=opened.team_names))
        return shown


def in_words(entry: Entry) -> str:
    """What one change did, in a line: "Retired", "Changed: Label: Lunch → Meal"."""
    said = "; ".join(map(str, entry.differences))
    return f"{entry.what}: {said}" if said else entry.what


def moment_of(entry: Entry) -> str:
    return date_format(localtime(entry.at), "j M Y, H:i")
