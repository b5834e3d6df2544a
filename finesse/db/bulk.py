"""Statements for many rows, whose text is the same for any number of rows.

The rows are sent as one JSON document, which the database splits. Django's bulk_create sends each
value as a parameter, which psycopg formats in Python; bulk_update sends every column of every row.
That took a third of the writer's time (docs/performance.md).
"""

import json
from collections.abc import Callable, Collection, Iterable, Sequence
from functools import cached_property
from operator import attrgetter
from typing import Any, Generic, TypeVar

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import AutoField, BooleanField, Field, Func, Model

from finesse.db.statements import ThreadConnection

M = TypeVar("M", bound=Model)


class _Rows(Generic[M]):
    """A statement about rows of a model; subclasses write the SQL."""

    def __init__(self, model: type[M], names: Callable[[], Sequence[str]]) -> None:
        self._model = model
        self._names = names
        self._thread = ThreadConnection()

    def execute(self, rows: Iterable[Sequence[Any]]) -> None:
        """Each row has the columns' values in their order. Raises DatabaseError."""
        connection = self._thread.connection
        listed = [
            {
                field.column: value
                # The ORM's preparation would leave these, which most values are, unchanged.
                if value is None or type(value) is str or type(value) is int
                else field.get_db_prep_save(value, connection)
                for field, value in zip(self._fields, row, strict=True)
            }
            for row in rows
        ]
        if listed:
            self._thread.execute(self._sql, [json.dumps(listed, default=str)])

    def __call__(self, instances: Collection[M]) -> None:
        """Raises DatabaseError."""
        self.execute(map(self._values, instances))

    @cached_property
    def _fields(self) -> "list[Field[Any, Any]]":
        return [self._model._meta.get_field(name) for name in self._names()]  # type: ignore[misc]

    @cached_property
    def _values(self) -> Callable[[M], Sequence[Any]]:
        return attrgetter(*(field.attname for field in self._fields))

    @property
    def _sql(self) -> str:
        raise NotImplementedError

    @property
    def _table(self) -> str:
        return _quoted(self._model._meta.db_table)

    @property
    def _source(self) -> str:
        """The rows as a table `n` to select from."""
        if _is_postgresql():
            connection = connections[DEFAULT_DB_ALIAS]
            typed = ", ".join(
                f"{_column(field)} {field.db_type(connection)}" for field in self._fields
            )
            return f"({_recordset('%s', typed)}) AS n"
        return "json_each(%s) AS n"

    @staticmethod
    def _new(field: "Field[Any, Any]") -> str:
        """The field's value in `n`."""
        if _is_postgresql():
            return f"n.{_column(field)}"
        return f"json_extract(n.value, '$.{field.column}')"


class BulkInsert(_Rows[M]):
    """INSERTs instances with a value for each field but an automatic key.

    It sends no signals, and the instances have no key afterwards.
    """

    def __init__(self, model: type[M]) -> None:
        super().__init__(model, self._all_names)

    def _all_names(self) -> list[str]:
        fields = self._model._meta.local_concrete_fields
        return [field.name for field in fields if not isinstance(field, AutoField)]

    @cached_property
    def _sql(self) -> str:
        columns = ", ".join(map(_column, self._fields))
        values = ", ".join(map(self._new, self._fields))
        return f"INSERT INTO {self._table} ({columns}) SELECT {values} FROM {self._source}"


class BulkUpdate(_Rows[M]):
    """UPDATEs some fields of existing rows, without signals.

    Rows are matched by `keys` (by default the primary key), and by `condition`, SQL on the table
    `o`. `not_before` maps a date to another field of the row: no earlier date than that is set.
    """

    def __init__(
        self,
        model: type[M],
        fields: Sequence[str],
        *,
        keys: Sequence[str] = ("pk",),
        condition: str = "",
        not_before: dict[str, str] | None = None,
    ) -> None:
        super().__init__(model, lambda: [*map(self._named, keys), *fields])
        self._keys = len(keys)
        self._condition = f" AND {condition}" if condition else ""
        self._not_before = not_before or {}

    def _named(self, key: str) -> str:
        return self._model._meta.pk.name if key == "pk" else key

    @cached_property
    def _sql(self) -> str:
        keys, changed = self._fields[: self._keys], self._fields[self._keys :]
        found = " AND ".join(f"o.{_column(key)} = {self._new(key)}" for key in keys)
        assigned = ", ".join(f"{_column(field)} = {self._assigned(field)}" for field in changed)
        return (
            f"UPDATE {self._table} AS o SET {assigned} FROM {self._source}"
            f" WHERE {found}{self._condition}"
        )

    def _assigned(self, field: "Field[Any, Any]") -> str:
        if field.name not in self._not_before:
            return self._new(field)
        least = self._model._meta.get_field(self._not_before[field.name])
        greatest = "greatest" if _is_postgresql() else "max"
        return f"{greatest}(o.{_column(least)}, {self._new(field)})"


class Among(Func):
    """A condition for a `Statement`: the named fields equal those of one of the keys.

    `Among("user", "mrd", Placeholder("keys"))`; `keys` makes the value of the placeholder.
    """

    output_field = BooleanField()
    conditional = True

    def as_sql(  # type: ignore[override]
        self, compiler: Any, connection: Any, **extra: Any
    ) -> tuple[str, Any]:
        *fields, placeholder = self.get_source_expressions()
        columns = [compiler.compile(field)[0] for field in fields]
        place, parameters = compiler.compile(placeholder)
        if connection.vendor == "postgresql":
            typed = ", ".join(
                f"k{number} {field.output_field.db_type(connection)}"
                for number, field in enumerate(fields)
            )
            source = _recordset(place, typed)
        else:
            values = (f"json_extract(k.value, '$.k{number}')" for number in range(len(fields)))
            source = f"SELECT {', '.join(values)} FROM json_each({place}) AS k"
        return f"({', '.join(columns)}) IN ({source})", parameters


def _recordset(place: str, typed: str) -> str:
    """The rows of a JSON document, in PostgreSQL.

    Its planner expects a hundred rows of the function, and would rather scan a table of ten
    thousand than look up a hundred in the index. With a limit that is unknown while it plans, it
    expects a tenth of them.
    """
    return (
        f"SELECT * FROM json_to_recordset({place}::json) AS r ({typed})"
        f" LIMIT (SELECT {_LARGEST_BATCH})"
    )


_LARGEST_BATCH = 1_000_000
"""Rows; more than any batch has."""


def keys(rows: Iterable[Sequence[Any]]) -> str:
    """The value of an `Among`'s placeholder: texts and numbers, in the order of the fields."""
    return json.dumps([{f"k{number}": one for number, one in enumerate(row)} for row in rows])


def _is_postgresql() -> bool:
    return connections[DEFAULT_DB_ALIAS].vendor == "postgresql"


def _column(field: Any) -> str:
    return _quoted(field.column)


def _quoted(name: str) -> str:
    return str(connections[DEFAULT_DB_ALIAS].ops.quote_name(name))
