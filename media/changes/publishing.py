"""What the changes of all models share: many rows by pages, and what a row showed before."""

from collections.abc import Iterator
from typing import Any, Generic, TypeVar

from django.db.models import Model, QuerySet

ROWS_PER_PAGE = 200
"""Rows read, and published about, in one statement."""

M = TypeVar("M", bound=Model)


def pages(rows: "QuerySet[M]") -> Iterator[list[M]]:
    """The rows in the order of their primary key, a page at a time: never all in memory."""
    page = list(rows.order_by("pk")[:ROWS_PER_PAGE])
    while page:
        yield page
        if len(page) < ROWS_PER_PAGE:
            return
        page = list(rows.filter(pk__gt=page[-1].pk).order_by("pk")[:ROWS_PER_PAGE])


class ShownFields(Generic[M]):
    """The fields of a model that GET shows: which values they have had before a save.

    They are asked for in the database, before and after: the object at hand may be older, or may be
    saved in part.
    """

    def __init__(self, model: type[M], *names: str) -> None:
        self._values = model._default_manager.values(*names)

    def remember(self, instance: M) -> None:
        """Before the save."""
        instance.__dict__["_shown_before"] = self._of(instance)

    def before(self, instance: M) -> dict[str, Any] | None:
        """What was remembered, by field; None if the row is new."""
        remembered: dict[str, Any] | None = instance.__dict__["_shown_before"]
        return remembered

    def have_changed(self, instance: M) -> bool:
        """After the save. True of a new row, too."""
        return self.before(instance) != self._of(instance)

    def changed(self, instance: M) -> set[str]:
        """After the save: the fields that have changed; none of a new row."""
        before, now = self.before(instance), self._of(instance)
        if before is None or now is None:
            return set()
        return {name for name, value in now.items() if before[name] != value}

    def _of(self, instance: M) -> dict[str, Any] | None:
        return self._values.filter(pk=instance.pk).first()
