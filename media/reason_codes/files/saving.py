"""Imports a checked file of reason codes: all of it or nothing."""

import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from django.db import IntegrityError

from finesse.db.thinking import let_think
from finesse.files.limits import THINKING_SECONDS
from finesse.files.plan import MEANWHILE, Plan
from finesse.files.tables import Table
from finesse.users.models import User
from media.reason_codes.files.planning import plan, wanted_of
from media.reason_codes.files.present import Present
from reasoncodes.changes import Way
from reasoncodes.configuration import exclusive
from reasoncodes.many import save_all


@dataclass(frozen=True, kw_only=True)
class Imported:
    plan: Plan
    moved: Collection[str]
    """What has changed since its user looked at it. If there is any, nothing is imported."""
    change: uuid.UUID | None
    """None if nothing was imported."""


def import_table(
    table: Table, by: User, teams: Collection[int], seen: Mapping[str, str]
) -> Imported:
    """Check it again under the writer's lock, and save it if it still means what was `seen`.

    Raises FileRefusedError.
    """
    try:
        with exclusive(by, Way.IMPORT) as change:
            let_think(THINKING_SECONDS)
            now = plan(table, by, teams)
            moved = now.moved_since(seen)
            if moved or not now.may_be_saved:
                return Imported(plan=now, moved=moved, change=None)
            present = Present(by)
            save_all([wanted_of(row, present) for row in now.to_save])
    except IntegrityError:
        # A write without the lock, at the same moment.
        return Imported(plan=plan(table, by, teams), moved=(MEANWHILE,), change=None)
    return Imported(plan=now, moved=(), change=change.id)
