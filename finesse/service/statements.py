"""What every request says to the database: the ORM's statements, put together once.

Building a queryset and compiling it into SQL takes several times the CPU that executing it takes
(docs/performance.md). A `Statement` keeps what was compiled and is executed with the values of the
moment; what comes out are the same models. The SQL is the ORM's own.
"""

import threading
from collections.abc import Callable
from functools import cached_property
from typing import Any, Generic, TypeVar

from django.db import connection
from django.db.models import AutoField, Expression, Field, Model, QuerySet
from django.db.models.query import get_related_populators
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

    def __call__(self, instance: M) -> None:
        """Raises DatabaseError."""
        values = [
            field.get_db_prep_save(getattr(instance, field.attname), connection)
            for field in self._fields
        ]
        with connection.cursor() as cursor:
            cursor.execute(self._sql, values)

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


class _Compiled(Generic[M]):
    """The SQL, and how a row becomes a model: as in Django's ModelIterable, without the rest."""

    def __init__(self, queryset: "QuerySet[M]") -> None:
        self._database = queryset.db
        self._locks = queryset.query.select_for_update
        self._compiler = compiler = queryset.query.get_compiler(using=queryset.db)
        self._sql, self._parameters = compiler.as_sql()
        assert compiler.klass_info is not None
        self._model = compiler.klass_info["model"]
        columns = compiler.klass_info["select_fields"]
        self._columns = slice(columns[0], columns[-1] + 1)
        selected = compiler.select[self._columns]
        self._names = [expression.target.attname for expression, _, _ in selected]
        self._related = get_related_populators(  # type: ignore[call-arg]
            compiler.klass_info, compiler.select, queryset.db
        )
        self._converters = compiler.get_converters([one[0] for one in compiler.select])

    def execute(self, values: dict[str, Any]) -> list[M]:
        given = [
            values[one.name] if isinstance(one, Parameter) else one for one in self._parameters
        ]
        if self._locks and not connection.in_atomic_block:
            raise TransactionManagementError("A lock outside of a transaction would hold nothing")
        with connection.cursor() as cursor:
            cursor.execute(self._sql, given)
            rows = cursor.fetchall()
        if self._converters:
            rows = list(self._compiler.apply_converters(rows, self._converters))
        return [self._built(row) for row in rows]

    def _built(self, row: Any) -> M:
        model: M = self._model.from_db(self._database, self._names, row[self._columns])
        for related in self._related:
            related.populate(row, model)
        return model
