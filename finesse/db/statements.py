"""The statements of every request: querysets that are compiled once and executed many times.

Building a queryset and compiling it into SQL takes several times the CPU of executing it
(docs/performance.md). A `Statement` keeps the compiled SQL and executes it with the values of the
moment. The SQL is the ORM's own, and Django makes the models of the rows.
"""

import threading
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, Generic, TypeVar

import django
from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.models import AutoField, Expression, Field, Model, QuerySet
from django.db.models.query import get_related_populators
from django.db.transaction import TransactionManagementError

M = TypeVar("M", bound=Model)
R = TypeVar("R")
C = TypeVar("C")


class Placeholder(Expression):
    """Stands in a queryset for a value that is given when the statement is executed."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        return "%s", [self]


class Statement(Generic[M]):
    """A queryset of models with `Placeholder`s, with or without `select_related`.

    A statement that locks rows raises TransactionManagementError outside a transaction, as the ORM
    does.
    """

    def __init__(self, queryset: Callable[[], "QuerySet[M]"]) -> None:
        """The queryset is built at the first use, when all models are loaded."""
        self._compiled = _OfThread(lambda: _CompiledModels(queryset()))

    def all(self, **values: Any) -> list[M]:
        """Every row, for these values of the placeholders. They go to the database unchanged.

        Raises DatabaseError.
        """
        return self._compiled.get().models(values)

    def first(self, **values: Any) -> M | None:
        """The first row or None, for queries that match one row at most."""
        found = self.all(**values)
        return found[0] if found else None


class Rows(Generic[R]):
    """A `values_list` with `Placeholder`s, of whose rows `make` makes something that is no model.

    For what is only shown: a model, with the signals that Django sends for each, takes some ten
    times the CPU of a named tuple.
    """

    def __init__(
        self, queryset: Callable[[], "QuerySet[Any, Any]"], make: Callable[..., R]
    ) -> None:
        """The queryset is built at the first use, when all models are loaded."""
        self._compiled = _OfThread(lambda: _Compiled(queryset()))
        self._make = make

    def all(self, **values: Any) -> list[R]:
        """Every row, as `Statement.all`. Raises DatabaseError."""
        return [self._make(*row) for row in self._compiled.get().rows(values)]

    def first(self, **values: Any) -> R | None:
        """The first row or None, as `Statement.first`. Raises DatabaseError."""
        rows = self._compiled.get().rows(values)
        return self._make(*rows[0]) if rows else None


class Insertion(Generic[M]):
    """An INSERT of one row, from an instance with a value for each field but an automatic key.

    It sends no signals, and the instance has no key afterwards.
    """

    def __init__(self, model: type[M]) -> None:
        self._model = model
        self._thread = ThreadConnection()

    def __call__(self, instance: M) -> None:
        """Raises DatabaseError."""
        connection = self._thread.connection
        given = instance.__dict__
        values = [
            # The ORM's preparation would leave these, which most values are, unchanged.
            value
            if (value := given[field.attname]) is None or type(value) is str or type(value) is int
            else field.get_db_prep_save(value, connection)
            for field in self._fields
        ]
        self._thread.execute(self._sql, values)

    @cached_property
    def _fields(self) -> "list[Field[Any, Any]]":
        fields = self._model._meta.local_concrete_fields
        return [field for field in fields if not isinstance(field, AutoField)]

    @cached_property
    def _sql(self) -> str:
        quote = connection.ops.quote_name
        table = quote(self._model._meta.db_table)
        columns = ", ".join(quote(str(field.column)) for field in self._fields)
        places = ", ".join("%s" for _ in self._fields)
        return f"INSERT INTO {table} ({columns}) VALUES ({places})"


class ThreadConnection(threading.local):
    """Each thread's connection to the database, which executes SQL.

    Where the engine keeps prepared statements (FINESSE_PREPARED_STATEMENTS), they execute it; that
    saves a third of a request's CPU (docs/performance.md). Everywhere else Django's cursors do.
    """

    def __init__(self, alias: str = DEFAULT_DB_ALIAS) -> None:
        self._alias = alias

    @cached_property
    def connection(self) -> Any:
        return connections[self._alias]

    def execute(
        self, sql: str, values: Sequence[Any], *, may_wait: bool = False
    ) -> list[tuple[Any, ...]]:
        """The rows, if there are any.

        With `may_wait`, for a lock, the execution can be interrupted. Raises DatabaseError.
        """
        connection = self.connection
        prepared = None
        if not may_wait and hasattr(connection, "prepared_statements"):
            prepared = connection.prepared_statements()
        if prepared is None:
            with connection.cursor() as cursor:
                cursor.execute(sql, values)
                return cursor.fetchall() if cursor.description else []
        with connection.wrap_database_errors:
            rows: list[tuple[Any, ...]] = prepared.execute(sql, values)
            return rows


class _OfThread(threading.local, Generic[C]):
    """What a thread compiles at its first use: compiled SQL belongs to a connection, and each
    thread has its own."""

    _compiled: C | None = None

    def __init__(self, compile: Callable[[], C]) -> None:
        self._compile = compile

    def get(self) -> C:
        compiled = self._compiled
        if compiled is None:
            compiled = self._compiled = self._compile()
        return compiled


class _Compiled:
    """A queryset's SQL, and Django's way from what a database gives to the values of fields."""

    def __init__(self, queryset: "QuerySet[Any, Any]") -> None:
        self._thread = ThreadConnection(queryset.db)
        self._locks = queryset.query.select_for_update
        self._compiler: Any = queryset.query.get_compiler(using=queryset.db)
        self._sql, self._parameters = self._compiler.as_sql()
        self._converters = self._compiler.get_converters([one[0] for one in self._compiler.select])

    def rows(self, values: dict[str, Any]) -> list[Any]:
        given = [
            values[one.name] if isinstance(one, Placeholder) else one for one in self._parameters
        ]
        if self._locks and not self._thread.connection.in_atomic_block:
            raise TransactionManagementError("A lock outside of a transaction would hold nothing")
        rows: list[Any] = self._thread.execute(self._sql, given, may_wait=self._locks)
        if self._converters:
            rows = list(self._compiler.apply_converters(rows, self._converters))
        return rows


class _CompiledModels(_Compiled, Generic[M]):
    """The same of a queryset of models, with Django's way from its rows to models."""

    def __init__(self, queryset: "QuerySet[M]") -> None:
        super().__init__(queryset)
        self._database = queryset.db
        selected = self._compiler.klass_info
        first, *_, last = selected["select_fields"]
        self._columns = slice(first, last + 1)
        columns = self._compiler.select[self._columns]
        self._names = [expression.target.attname for expression, _, _ in columns]
        self._model: type[M] = selected["model"]
        self._populators = _related_populators(queryset, self._compiler)

    def models(self, values: dict[str, Any]) -> list[M]:
        return [self._made_of(row) for row in self.rows(values)]

    def _made_of(self, row: Any) -> M:
        instance = self._model.from_db(self._database, self._names, row[self._columns])
        for populator in self._populators:
            populator.populate(row, instance)
        return instance


def _related_populators(queryset: "QuerySet[Any]", compiler: Any) -> list[Any]:
    """Django's makers of the models that `select_related` names."""
    arguments: list[Any] = [compiler.klass_info, compiler.select, queryset.db]
    if django.VERSION >= (6, 1):
        # Since then it also says how fields that were not read are fetched.
        arguments.append(queryset._fetch_mode)  # type: ignore[attr-defined]
    return list(get_related_populators(*arguments))
