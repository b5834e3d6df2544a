"""Takes out of a process what counts its requests, and what names them for the log."""

from contextlib import AbstractContextManager, nullcontext
from typing import Any

from django.apps import AppConfig


class Unobserved(AppConfig):
    """The counts of tasks stay: there is one of a whole batch."""

    name = "benchmarks.unobserved_app"
    label = "unobserved"
    path = __file__.rpartition("/")[0]

    def ready(self) -> None:
        from finesse import log_context
        from finesse.metrics import timing

        for counted in ("note_answer", "count_applied", "count_published"):
            assert hasattr(timing, counted)
            setattr(timing, counted, _ignore)
        log_context.about = _about_nothing  # type: ignore[assignment,misc]


def _ignore(*given: Any) -> None:
    pass


def _about_nothing(one: Any) -> AbstractContextManager[None]:
    return nullcontext()
