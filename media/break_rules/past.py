"""What has become of a break rule since its form was opened (`media.two_at_once`)."""

import json
from collections.abc import Iterator
from typing import Any

from django import forms
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import QuerySet
from django.utils.formats import date_format
from django.utils.timezone import localtime

from finesse.users.access import visible_users
from finesse.users.models import User
from media.breaks.words import sentence


class PastOfRule:
    """A `media.two_at_once.Past`. Rules keep no versions: the token is all that the form shows, and
    the last entry of the rule's history, which says who has changed what since."""

    def __init__(self, form: forms.ModelForm) -> None:
        self._form = form
        self._user: User = form.user  # type: ignore[attr-defined]

    def token(self) -> str:
        newest = self._entries().order_by("-pk").values_list("pk", flat=True).first()
        return json.dumps({"entry": newest or 0, "shown": self._shown()})

    def shown_before(self, token: str) -> dict[str, Any] | None:
        opened, now = _read(token).get("shown"), self._shown()
        if not isinstance(opened, dict):
            return None
        changed = {name: opened.get(name) for name in now if opened.get(name) != now[name]}
        return changed or None

    def told_since(self, token: str) -> Iterator[str]:
        entry = _read(token).get("entry")
        since = self._entries().filter(pk__gt=entry if isinstance(entry, int) else 0)
        people = visible_users(self._user).filter(pk__in=since.values("user"))
        seen = {one.pk: one.get_full_name() for one in people}
        for one in since.order_by("pk"):
            who = seen.get(one.user_id, "Another user")
            moment = date_format(localtime(one.action_time), "j M Y, H:i")
            yield f"{who}, {moment}: {one.get_change_message().rstrip('.')}"
        if not since:
            yield f"It says now: {sentence(self._form.instance).rstrip('.')}"

    def put(self, data: Any, name: str, value: Any) -> None:
        data[name] = "" if value is None else value

    def _shown(self) -> dict[str, Any]:
        """What is stored, as the fields of the form show it."""
        names = {*(self._form._meta.fields or ())} - {"version"}
        return {name: self._form.initial.get(name) for name in sorted(names)}

    def _entries(self) -> "QuerySet[LogEntry]":
        rule = self._form.instance
        of_rules = ContentType.objects.get_for_model(type(rule))
        return LogEntry.objects.filter(content_type=of_rules, object_id=str(rule.pk))


def _read(token: str) -> dict[str, Any]:
    """A form that somebody has made up has none."""
    try:
        found = json.loads(token)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
