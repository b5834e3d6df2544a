"""Imports a checked file of people: all of it or nothing."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.contrib.admin.models import ADDITION, CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import IntegrityError, transaction

from finesse.db.thinking import let_think
from finesse.files.limits import THINKING_SECONDS
from finesse.files.plan import MEANWHILE, Outcome, Plan, PlannedRow
from finesse.files.tables import Table
from finesse.notifications import log
from finesse.users.models import Team, User
from finesse.users.team_history import record
from media.changes.memberships import publish_new_media
from media.changes.users import publish_new_users
from media.models import Media
from media.people.planning import FIELDS, plan
from media.people.present import Person, Present

_ROWS = 200
"""In one statement."""


@dataclass(frozen=True, kw_only=True)
class Imported:
    plan: Plan
    moved: Collection[str] = ()
    """What has changed since its user looked at it. If there is any, nothing is imported."""
    before: Present | None = None
    """The people as they were; None if nothing was saved."""


def import_table(
    table: Table, by: User, name: str, seen: Mapping[str, str], *, may_make_teams: bool
) -> Imported:
    """Check it again under the writer's lock, and save it if it still means what was `seen`.

    `name` is the file's, for the histories of users. Raises FileRefusedError.
    """
    try:
        with transaction.atomic():
            log.lock()
            let_think(THINKING_SECONDS)
            now = plan(table, by, may_make_teams=may_make_teams)
            moved = now.moved_since(seen)
            if moved or not now.may_be_saved:
                return Imported(plan=now, moved=moved)
            before = Present()
            Saving().save(now)
            write_history(now, by, name)
    except IntegrityError:
        # Users are also made without the lock.
        again = plan(table, by, may_make_teams=may_make_teams)
        return Imported(plan=again, moved=(MEANWHILE,))
    return Imported(plan=now, before=before)


class Saving:
    """Saves what a plan wants, under the writer's lock."""

    def __init__(self) -> None:
        self.present = Present()

    def save(self, now: Plan) -> None:
        new = [row.wanted for row in now.of(Outcome.NEW)]
        changed = [row.wanted for row in now.of(Outcome.CHANGED)]
        self._make_teams([*new, *changed])
        self._insert(new)
        for person in changed:
            self._update(person)
        for person in [*new, *changed]:
            self._set_supervised(person)
        self._set_memberships([*new, *changed])

    def _make_teams(self, people: Iterable[Person]) -> None:
        named = {name for one in people for name in {one.team, *one.supervises} if name}
        for name in sorted(named - self.present.teams.keys()):
            self.present.teams[name] = Team.objects.create(name=name).pk

    def _insert(self, people: Sequence[Person]) -> None:
        users = [User(**self._fields(person)) for person in people]
        for user in users:
            user.set_unusable_password()
        User.objects.bulk_create(users, batch_size=_ROWS)
        record([user.pk for user in users])
        for start in range(0, len(users), _ROWS):
            page = [user.pk for user in users[start : start + _ROWS]]
            publish_new_users(User.objects.filter(pk__in=page))
        if users:
            # No signal tells it: they were made in bulk.
            log.count_access_change()

    def _update(self, person: Person) -> None:
        user = self.present.users[person.login_id]
        fields = self._fields(person)
        changed = [name for name, value in fields.items() if getattr(user, name) != value]
        for name in changed:
            setattr(user, name, fields[name])
        if changed:
            # These alone: signing in changes others at any time.
            user.save(update_fields=changed)

    def _fields(self, person: Person) -> dict[str, object]:
        values = {field: getattr(person, attribute) for field, attribute in FIELDS.items()}
        return {
            **values,
            "team_id": self.present.teams[person.team] if person.team else None,
            "is_supervisor": "supervisor" in person.roles,
            "is_superuser": "administrator" in person.roles,
        }

    def _before(self, person: Person) -> Person:
        return self.present.people.get(person.login_id) or Person()

    def _set_supervised(self, person: Person) -> None:
        before = self._before(person).supervises
        teams = User(pk=person.login_id).supervised_teams
        if gone := before - person.supervises:
            teams.remove(*(self.present.teams[name] for name in gone))
        if joined := person.supervises - before:
            teams.add(*(self.present.teams[name] for name in joined))

    def _set_memberships(self, people: Sequence[Person]) -> None:
        joined: list[Media] = []
        for person in people:
            before = self._before(person).mrds
            if left := before - person.mrds:
                Media.objects.filter(user=person.login_id, mrd__in=left).delete()
            mrds = sorted(person.mrds - before)
            joined += (Media(user_id=person.login_id, mrd_id=mrd) for mrd in mrds)
        Media.objects.bulk_create(joined, batch_size=_ROWS)
        for start in range(0, len(joined), _ROWS):
            page = [media.pk for media in joined[start : start + _ROWS]]
            publish_new_media(Media.objects.filter(pk__in=page))


def write_history(now: Plan, by: User, name: str) -> None:
    """An entry for each user in Django's history; `name` is the file's."""
    kind = ContentType.objects.get_for_model(User)
    LogEntry.objects.bulk_create(
        LogEntry(
            user=by,
            content_type=kind,
            object_id=row.wanted.login_id,
            object_repr=row.name[:200],
            action_flag=ADDITION if row.outcome is Outcome.NEW else CHANGE,
            change_message=_said(row, name),
        )
        for row in now.to_save
    )


def _said(row: PlannedRow, name: str) -> str:
    if row.outcome is Outcome.NEW:
        return f"Imported from {name}."
    changes = (f"{one.column} from “{one.before}” to “{one.after}”" for one in row.differences)
    return f"Imported from {name}: {', '.join(changes)}."
