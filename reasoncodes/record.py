"""Who changed which reason code, when, by which way, and from which to which value.

It shows a reader what `reasoncodes.access.versions_visible_to` finds. Of a version that the reader
could not see, not even its label is told: only that the code came from other teams or went there.
"""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db.models import Count
from django.utils.timezone import localtime

from finesse.admin import to_the_second
from finesse.users.access import supervised_teams, visible_users
from finesse.users.models import User
from reasoncodes.access import versions_visible_to
from reasoncodes.differences import OTHER_TEAMS, Difference, differences, names_of
from reasoncodes.history import Version

STRANGER = "another user"
"""Stands for a user whom the reader may not see."""
NEW = frozenset({"First recorded", "Created", "Created again"})
FIRST = "first"
"""The `history_change_reason` of versions that were written when histories began."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One line of the record: what one change did to one reason code."""

    history_id: int
    pk: int
    """Of the reason code."""
    change: uuid.UUID
    at: datetime
    who: str
    way: str
    what: str
    """Created, retired, …"""
    category: str
    code: int
    label: str
    differences: Sequence[Difference]
    can_be_gone_back_to: bool
    """Whether the reader may see how the reason code was after it."""
    others: int
    """How many other reason codes that the reader may see the same change has changed."""

    @property
    def is_new(self) -> bool:
        """Whether there is nothing from which it has changed."""
        return self.what in NEW

    @property
    def shown_at(self) -> str:
        return to_the_second(localtime(self.at))


class Reader:
    """What one user may see of the record, as of the time at which it is made."""

    def __init__(self, user: User) -> None:
        self._user = user
        teams = supervised_teams(user).values_list("pk", flat=True)
        self._teams = None if user.is_superuser else {str(pk) for pk in teams}

    def entries(self, versions: Iterable[Any]) -> list[Entry]:
        """Of versions that have `before`; in their order. Takes three queries for any number."""
        versions = list(versions)
        before = Version.objects.in_bulk([one.before for one in versions if one.before])
        names = self._names({one.history_user_id for one in versions})
        sizes = self._sizes({one.change for one in versions})
        entries = (self._entry(one, before.get(one.before), names) for one in versions)
        return [replace(one, others=sizes[one.change] - 1) for one in entries]

    def sees(self, version: Any) -> bool:
        """As `reasoncodes.access.of_visible_versions` says."""
        return (
            self._teams is None
            or version.system_code
            or version.for_all
            or bool(self._teams & version.team_names.keys())
        )

    def differences(self, old: Any, new: Any) -> list[Difference]:
        """Between two versions, of which the reader may see at least one."""
        if not self.sees(new) or not (old is None or self.sees(old)):
            return [Difference("Offered to", self._seen_teams(old), self._seen_teams(new))]
        return differences(old, new, self._teams)

    def _seen_teams(self, version: Any) -> str:
        if not self.sees(version):
            return OTHER_TEAMS if version.team_names else "nobody"
        return "everybody" if version.for_all else names_of(version.team_names, self._teams)

    def _names(self, login_ids: set[str]) -> dict[str, str]:
        visible = visible_users(self._user).filter(pk__in=login_ids)
        names = {user.pk: str(user) for user in visible}
        if self._user.is_superuser:
            gone = {pk: f"{pk}, deleted since" for pk in login_ids - names.keys()}
            names |= gone
        return names | {"": "the system"}

    def _sizes(self, changes: set[uuid.UUID]) -> dict[uuid.UUID, int]:
        """How many reason codes that the reader may see each change has changed."""
        versions = versions_visible_to(self._user).filter(change__in=changes).order_by()
        counted = versions.values("change").annotate(size=Count("id", distinct=True))
        return dict(counted.values_list("change", "size"))

    def _entry(self, version: Any, before: Any, names: dict[str, str]) -> Entry:
        is_seen = self.sees(version)
        named = version if is_seen else before
        deleted = version.history_type == "-"
        return Entry(
            history_id=version.history_id,
            pk=version.id,
            change=version.change,
            at=version.history_date,
            who=names.get(version.history_user_id, STRANGER),
            way=version.get_way_display(),
            what=self._what(version, before),
            category=named.get_category_display(),
            code=named.code,
            label=named.label,
            differences=[] if deleted else self._shown(version, before),
            can_be_gone_back_to=is_seen,
            others=0,
        )

    def _shown(self, version: Any, before: Any) -> list[Difference]:
        if version.history_type == "+" and before is not None and self.sees(version):
            # It was deleted in between: what is worth telling is what it is now.
            before = None
        found = self.differences(before, version)
        if before is None:
            return found
        # The heading says it already.
        return [one for one in found if one.what != "Retired"]

    def _what(self, version: Any, before: Any) -> str:
        if not self.sees(version):
            return "Taken from your teams"
        if version.history_type == "-":
            return "Deleted"
        if version.history_type == "+":
            if version.history_change_reason == FIRST:
                return "First recorded"
            return "Created" if before is None else "Created again"
        if before is None:
            return "Changed"
        if not self.sees(before):
            return "Given to your teams"
        if version.retired != before.retired:
            return "Retired" if version.retired else "Brought back"
        return "Changed"
