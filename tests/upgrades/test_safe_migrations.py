"""A migration runs beside processes of the last version: what would break or stop them is found in
its SQL for PostgreSQL, or is told to operators."""

import re
from pathlib import Path

import pytest
from django.db import connection, migrations, models
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ProjectState
from django_migration_linter import MigrationLinter
from django_migration_linter.sql_analyser import PostgresqlAnalyser, analyse_sql_statements
from django_migration_linter.sql_analyser.base import Check, CheckMode, CheckType

APPS = ("media", "users", "notifications", "reasoncodes", "service")
OPERATIONS = Path(__file__).parents[2] / "docs" / "operations.md"

LANDED = {
    "media.0002_desktop_and_modes": {"ALTER_COLUMN", "NOT_NULL", "READS_TABLE"},
    "media.0004_pending_of_user": {"CREATE_INDEX"},
    "media.0005_no_indexes_of_past_users": {"DROP_INDEX"},
    "media.0009_deactivated": {"READS_TABLE"},
    "media.0011_names_of_mrds_without_case": {"ADD_UNIQUE", "DROP_INDEX", "CREATE_INDEX"},
    "media.0012_removed": {"READS_TABLE"},
    "media.0014_notes_and_corrections": {"READS_TABLE"},
    "media.0016_break_rules": {"READS_TABLE"},
    "notifications.0002_status_of_the_service": {"NOT_NULL"},
    "notifications.0004_notification_of_node": {"CREATE_INDEX"},
    "notifications.0005_no_index_of_nodes_alone": {"DROP_INDEX"},
    "reasoncodes.0003_meaning_and_history": {"NOT_NULL"},
    "users.0002_user_sign_in_failed": {"NOT_NULL"},
    "users.0004_supervisors_of_global_reason_codes": {"NOT_NULL"},
    "users.0006_names_of_teams_without_case": {"ADD_UNIQUE", "DROP_INDEX", "CREATE_INDEX"},
    "users.0007_accounts": {"NOT_NULL"},
}
"""Migrations from before there was this check. docs/operations.md says what stops for them; a new
one follows the rules there."""


GROWING = frozenset({"media_mediarequest", "media_stateinterval", "notifications_notification"})
"""Tables with millions of rows. The others have as many as there are users, or fewer."""
_CHECK = re.compile(r'^ALTER TABLE "(\w+)" ADD CONSTRAINT .* CHECK (?!.*NOT VALID)')


def reads_a_growing_table(statements: list[str], **_: object) -> bool:
    """Whether a constraint is added for which such a table is read under its lock."""
    made = {name for one in statements for name in re.findall(r'^CREATE TABLE "(\w+)"', one)}
    checked = {found[1] for one in statements if (found := _CHECK.match(one))}
    return not GROWING.isdisjoint(checked - made)


class Analyser(PostgresqlAnalyser):
    migration_checks = [
        *PostgresqlAnalyser.migration_checks,
        Check(
            code="READS_TABLE",
            fn=reads_a_growing_table,
            message="A CHECK reads the whole table; add it NOT VALID, and validate it afterwards",
            mode=CheckMode.TRANSACTION,
            type=CheckType.ERROR,
        ),
    ]


pytestmark = pytest.mark.skipif(
    connection.vendor != "postgresql", reason="old and new processes share PostgreSQL alone"
)


def codes_of(statements: list[str]) -> set[str]:
    errors, _, warnings = analyse_sql_statements(Analyser, statements)
    return {issue.code for issue in (*errors, *warnings)}


@pytest.mark.django_db
def test_no_migration_breaks_or_stops_the_processes_of_the_version_before() -> None:
    linter = MigrationLinter(include_apps=APPS, no_cache=True, no_output=True)
    found = {
        f"{app}.{name}": codes_of(linter.get_sql(app, name))
        for app, name in linter.migration_loader.disk_migrations
        if app in APPS and not name.startswith("0001")
    }
    assert {name: codes for name, codes in found.items() if codes} == LANDED


def test_operators_read_what_stops_for_each_of_those_that_did() -> None:
    told = OPERATIONS.read_text()
    assert [name for name in LANDED if f"`{name}`" not in told] == []


FORBIDDEN = {
    "NOT_NULL": migrations.AddField("stateinterval", "level", models.IntegerField(default=1)),
    "RENAME_COLUMN": migrations.RenameField("stateinterval", "actor", "asker"),
    "RENAME_TABLE": migrations.RenameModel("StateInterval", "Stay"),
    "DROP_COLUMN": migrations.RemoveField("stateinterval", "actor"),
    "DROP_TABLE": migrations.DeleteModel("StateInterval"),
    "CREATE_INDEX": migrations.AddIndex(
        "stateinterval", models.Index(fields=["actor"], name="interval_of_actor")
    ),
    "READS_TABLE": migrations.AddConstraint(
        "stateinterval",
        models.CheckConstraint(condition=models.Q(mrd_id__gte=1), name="interval_mrd"),
    ),
}
ALLOWED = {
    "a column with a default of the database": migrations.AddField(
        "stateinterval", "level", models.IntegerField(default=1, db_default=1)
    ),
    "a column that may be empty": migrations.AddField(
        "stateinterval", "level", models.IntegerField(null=True)
    ),
}


def sql_of(operation: migrations.operations.base.Operation) -> list[str]:
    """What it would do to the database as it is."""
    before: ProjectState = MigrationLoader(connection).project_state()
    after = before.clone()
    operation.state_forwards("media", after)
    with connection.schema_editor(collect_sql=True) as editor:
        operation.database_forwards("media", editor, before, after)
    return [str(statement) for statement in editor.collected_sql]


@pytest.mark.django_db
@pytest.mark.parametrize("code", FORBIDDEN)
def test_the_check_finds(code: str) -> None:
    assert code in codes_of(sql_of(FORBIDDEN[code]))


@pytest.mark.django_db
@pytest.mark.parametrize("what", ALLOWED)
def test_the_check_allows(what: str) -> None:
    assert codes_of(sql_of(ALLOWED[what])) == set()
