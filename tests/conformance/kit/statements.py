"""The two decorators of checks: what a check proves, and who says so."""

from collections.abc import Callable
from typing import Any, TypeVar

import pytest

Check = TypeVar("Check", bound=Callable[..., Any])


def statement(sentence: str, *pages: str) -> Callable[[Check], Check]:
    """A sentence that the documentation says, with the titles of the pages that say it."""
    return pytest.mark.statement(sentence, *pages, kind="documented")


def choice(sentence: str, *pages: str) -> Callable[[Check], Check]:
    """A sentence where the documentation is silent or contradicts itself: this project's choice,
    or its own extension. The pages are those that leave it open. Not for other servers."""
    return pytest.mark.statement(sentence, *pages, kind="choice")
