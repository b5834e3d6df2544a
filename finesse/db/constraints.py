"""Conditions of tables that grow, added without reading the table under its lock.

Two migrations: the first adds the condition for new rows (`AddConstraintNotValid`), the second
compares the rows that are there (`ValidateConstraint`), while others go on writing. In one
migration, which is one transaction, the lock of the first would last as long as the second.
"""

from typing import Any

from django.contrib.postgres import operations
from django.db.migrations.operations import AddConstraint


class AddConstraintNotValid(operations.AddConstraintNotValid):
    """Django's, for PostgreSQL; SQLite makes the table anew, which holds no others up there."""

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        if schema_editor.connection.vendor == "postgresql":
            super().database_forwards(app_label, schema_editor, from_state, to_state)
        else:
            AddConstraint.database_forwards(self, app_label, schema_editor, from_state, to_state)


class ValidateConstraint(operations.ValidateConstraint):
    """Django's, for PostgreSQL; nothing on SQLite, where the condition holds already."""

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        if schema_editor.connection.vendor == "postgresql":
            super().database_forwards(app_label, schema_editor, from_state, to_state)
