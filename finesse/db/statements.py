"""What every request says to the database: the ORM's statements, put together once.

Building a queryset and compiling it into SQL takes several times the CPU that executing it takes
(docs/performance.md). A `Statement` keeps what was compiled and is executed with the values of the
moment; what comes out are the same models. The SQL is the ORM's own.
"""

import threading
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, Generic, TypeVar

from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.models import AutoField, Expression, Field, Model, QuerySet
from django.db.models.base import ModelState
from django.db.transaction import TransactionManagementError

M = TypeVar("M", bound=Model)


class Parameter(Expression):
    """Stands in a queryset for a value that is known when the statement is executed."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        return "%s", [self]


class Statement(Generic[M]):
    """A queryset with `Parameter`s: of models, with `select_related` or without.

    One that locks rows raises TransactionManagementError outside a transaction, as the ORM does.
    """

    def __init__(self, queryset: Callable[[], "QuerySet[M]"]) -> None:
        """The queryset is built at the first use, when all models are loaded."""
        self._queryset = queryset
        # What is compiled belongs to a connection, and each thread has one of its own.
        self._of_thread = threading.local()

    def all(self, **values: Any) -> list[M]:
        """Every row, for these values of the parameters. They go to the database as they are.

        Raises DatabaseError.
        """
        try:
            compiled: _Compiled[M] = self._of_thread.compiled
        except AttributeError:
            compiled = self._of_thread.compiled = _Compiled(self._queryset())
        return compiled.execute(values)

    def first(self, **values: Any) -> M | None:
        """The first row, if there is one; for questions with one answer at most."""
        found = self.all(**values)
        return found[0] if found else None


class Insertion(Generic[M]):
    """An INSERT of one row, from an instance that has all its values but a key that counts up.

    Nobody is told: no signals, no key in the instance afterwards.
    """

    def __init__(self, model: type[M]) -> None:
        self._model = model
        self._session = Session()

    def __call__(self, instance: M) -> None:
        """Raises DatabaseError."""
        connection = self._session.connection
        given = instance.__dict__
        values = [
            # Most are plain text or nothing, of which the ORM's preparation makes the same.
            value
            if (value := given[field.attname]) is None or type(value) is str
            else field.get_db_prep_save(value, connection)
            for field in self._fields
        ]
        self._session.execute(self._sql, values)

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


class Session(threading.local):
    """Each thread's connection, and what executes statements on it, which is kept: Django makes a
    cursor for each statement, and asks each time who wants to hear of it. Together that takes a
    fourth of a statement's CPU.
    """

    def __init__(self, alias: str = DEFAULT_DB_ALIAS) -> None:
        self._alias = alias
        self._cursor: Any = None
        self._prepared: Any = None
        self._made_for: Any = None

    @cached_property
    def connection(self) -> Any:
        return connections[self._alias]

    def execute(
        self, sql: str, values: Sequence[Any], *, may_wait: bool = False
    ) -> list[tuple[Any, ...]]:
        """The rows, if there are any.

        What `may_wait`, for a lock, can be interrupted. Raises DatabaseError.
        """
        connection = self.connection
        # As each new cursor would have it checked.
        connection.close_if_health_check_failed()
        connection.validate_no_broken_transaction()
        if connection.force_debug_cursor or connection.execute_wrappers:
            return _by_cursor(connection.cursor(), sql, values)
        # Django opens another connection when this one has failed or is too old.
        if self._made_for is None or self._made_for is not connection.connection:
            self._cursor = connection.cursor().cursor
            # What an engine has for statements that come again and again.
            prepared = getattr(connection, "prepared_statements", None)
            self._prepared = prepared() if prepared else None
            self._made_for = connection.connection
        with connection.wrap_database_errors:
            if self._prepared is None or may_wait or self._prepared.has_to_begin():
                return _by_cursor(self._cursor, sql, values)
            rows: list[tuple[Any, ...]] = self._prepared.execute(sql, values)
            return rows


def _by_cursor(cursor: Any, sql: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
    cursor.execute(sql, values)
    return cursor.fetchall() if cursor.description else []


class _Compiled(Generic[M]):
    """The SQL, what runs it, and what makes models of the rows."""

    def __init__(self, queryset: "QuerySet[M]") -> None:
        self._session = Session(queryset.db)
        self._locks = queryset.query.select_for_update
        self._compiler = compiler = queryset.query.get_compiler(using=queryset.db)
        self._sql, self._parameters = compiler.as_sql()
        assert compiler.klass_info is not None
        self._made: _Made[M] = _Made(compiler.klass_info, compiler.select, queryset.db)
        self._converters = compiler.get_converters([one[0] for one in compiler.select])

    def execute(self, values: dict[str, Any]) -> list[M]:
        given = [
            values[one.name] if isinstance(one, Parameter) else one for one in self._parameters
        ]
        if self._locks and not self._session.connection.in_atomic_block:
            raise TransactionManagementError("A lock outside of a transaction would hold nothing")
        rows = self._session.execute(self._sql, given, may_wait=self._locks)
        if self._converters:
            rows = list(self._compiler.apply_converters(rows, self._converters))
        return [self._made.of(row) for row in rows]


class _Saved(ModelState):
    adding = False


class _Made(Generic[M]):
    """How a row becomes a model, and those along with it that `select_related` names.

    The values go where Model.__init__ would put them one by one, which takes several times as
    long; it sends signals, too, that nobody here listens to.
    """

    def __init__(self, selected: Any, columns: Sequence[Any], database: str) -> None:
        self._model: type[M] = selected["model"]
        self._database = database
        first, *_, last = selected["select_fields"]
        self._columns = slice(first, last + 1)
        self._names = [expression.target.attname for expression, _, _ in columns[self._columns]]
        self._has_others = len(self._names) < len(columns)
        self._key = first + self._names.index(self._model._meta.pk.attname)
        self._related: list[tuple[str, _Made[Any]]] = []
        for one in selected.get("related_klass_infos", ()):
            # Others are put together in another way.
            assert not one["reverse"]
            assert not one["from_parent"]
            self._related.append((one["field"].cache_name, _Made(one, columns, database)))

    def of(self, row: Any) -> M:
        model = self._model.__new__(self._model)
        given = model.__dict__
        given["_state"] = state = _Saved()
        state.db = self._database
        own = row[self._columns] if self._has_others else row
        given.update(zip(self._names, own, strict=True))
        for name, related in self._related:
            is_there = row[related._key] is not None
            state.fields_cache[name] = related.of(row) if is_there else None
        return model
