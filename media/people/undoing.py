"""Takes an import of people back: all of it or nothing."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Q

from finesse.db.thinking import let_think
from finesse.files.kept import Kept
from finesse.files.limits import THINKING_SECONDS
from finesse.files.plan import Outcome, Plan
from finesse.files.tables import Row, Table
from finesse.notifications import log
from finesse.users.models import Team, User
from media.models import MediaRequest
from media.people.planning import plan
from media.people.saving import Imported, Saving, import_table, write_history

UNDO = "undo of "
"""Before the file's name, in the histories of users."""


@dataclass(frozen=True, kw_only=True)
class Undone:
    refused: Collection[str] = ()
    """Why nothing was undone, in whole sentences; empty if it was."""
    deleted: Collection[str] = ()
    """Login ids of people who came by the import, and are gone."""
    inactive: Collection[str] = ()
    """Of those who have signed in or asked for something since: they stay, without access."""
    changed: int = 0
    """People who are again as they were."""


def import_with_way_back(kept: Kept, by: User) -> tuple[Imported, Kept | None]:
    """Import it, and say what it is undone with: None if nothing was imported.

    Raises FileRefusedError.
    """
    with transaction.atomic():
        # Before both: a change in between would be undone, too.
        log.lock()
        may_make_teams = kept.options["new_teams"]
        done = import_table(kept.table, by, kept.name, kept.seen, may_make_teams=may_make_teams)
        return done, _way_back(done, by, kept.name) if done.before else None


def _way_back(done: Imported, by: User, name: str) -> Kept:
    """A file of the people as they were, which is checked like any other, and of those who came."""
    assert done.before is not None
    resource = done.before.resource()
    before = done.before.people
    people = [before.get(row.wanted.login_id, row.wanted) for row in done.plan.to_save]
    rows = [
        Row(number, tuple(resource.values(person).values()))
        for number, person in enumerate(people, start=2)
    ]
    table = Table(head=Row(1, tuple(resource.columns)), rows=rows)
    came = [row.wanted.login_id for row in done.plan.of(Outcome.NEW)]
    named = {team for row in done.plan.to_save for team in _teams_of(row.wanted)}
    options = {"came": came, "new_teams": sorted(named - done.before.teams.keys())}
    now = plan(table, by, may_make_teams=False, leaving=came)
    return Kept(name=name, table=table, options=options, seen=now.digests())


def undo_import(kept: Kept, by: User) -> Undone:
    """Undo it, unless one of its people has been changed since. Raises FileRefusedError."""
    came: list[str] = kept.options["came"]
    with transaction.atomic():
        log.lock()
        let_think(THINKING_SECONDS)
        now = plan(kept.table, by, may_make_teams=False, leaving=came)
        if refused := _refusals(now, kept.seen):
            return Undone(refused=refused)
        of_those_who_were_there = [row for row in now.to_save if row.wanted.login_id not in {*came}]
        back = Plan(rows=of_those_who_were_there)
        Saving().save(back)
        write_history(back, by, f"{UNDO}{kept.name}")
        used = _used(came)
        _take_out(User.objects.filter(pk__in=came), used)
        _delete_empty(kept.options["new_teams"])
    deleted = [login_id for login_id in came if login_id not in used]
    return Undone(deleted=deleted, inactive=sorted(used), changed=len(of_those_who_were_there))


def _teams_of(person: Any) -> set[str]:
    return {name for name in (person.team, *person.supervises) if name}


def _refusals(now: Plan, seen: Mapping[str, str]) -> list[str]:
    moved = [f"{text} It was changed since the import." for text in now.moved_since(seen)]
    return moved or [
        f"{row.name}: {problem.text}" for row in now.of(Outcome.REFUSED) for problem in row.problems
    ]


def _used(login_ids: Collection[str]) -> set[str]:
    """Those of them who have signed in, or whom a request was about."""
    signed_in = User.objects.filter(pk__in=login_ids, last_login__isnull=False)
    with_password = (
        user.pk for user in User.objects.filter(pk__in=login_ids) if user.has_usable_password()
    )
    requests = MediaRequest.objects.filter(Q(login_id__in=login_ids) | Q(actor__in=login_ids))
    named = {name for pair in requests.values_list("login_id", "actor") for name in pair}
    return {*signed_in.values_list("pk", flat=True), *with_password, *named} & {*login_ids}


def _take_out(came: Any, used: Collection[str]) -> None:
    for user in came:
        if user.pk not in used:
            user.delete()
        elif user.is_active:
            user.is_active = False
            user.save(update_fields=["is_active"])


def _delete_empty(names: Collection[str]) -> None:
    """The teams that the import made, if nobody and no reason code belongs to them."""
    empty = {"members": None, "supervisors": None, "reason_codes": None}
    for team in Team.objects.filter(name__in=names, **empty):
        team.delete()
