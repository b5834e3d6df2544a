"""A day of history: alice in Chat, bob in Back office, at times that are easy to reckon with."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

import pytest
from django.test import Client

from finesse.users.models import User
from media.models import StateInterval
from reasoncodes.models import ReasonCode
from tests.conftest import Cast

DAY = "2026-03-02"
"""A Monday."""
NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)
Stayed: TypeAlias = Callable[..., StateInterval]
Browser: TypeAlias = Callable[[str], Client]


@pytest.fixture
def stayed(cast: Cast) -> Stayed:
    """Makes an interval: so many hours after nine, for so many hours (None: it runs still)."""

    def make(
        login_id: str,
        state: str,
        after: float,
        hours: float | None,
        code: ReasonCode | None = None,
        mrd: int = 5000,
        **fields: Any,
    ) -> StateInterval:
        began = NINE + after * HOUR
        return StateInterval.objects.create(
            login_id=login_id,
            mrd_id=mrd,
            state=state,
            reason_code=code,
            code=code.code if code else None,
            label=code.label if code else "",
            started_at=began,
            ended_at=None if hours is None else began + hours * HOUR,
            **{"cause": "self", "actor": login_id, **fields},
        )

    return make


@pytest.fixture
def a_day(stayed: Stayed, codes: dict[str, ReasonCode]) -> dict[str, StateInterval]:
    ReasonCode.objects.filter(label="Lunch").update(productive=False)
    return {
        "ready": stayed("alice", "READY", 0, 2),
        "lunch": stayed("alice", "NOT_READY", 2, 1, codes["Lunch"]),
        "after lunch": stayed("alice", "READY", 3, 3),
        "gone": stayed("alice", "LOGOUT", 6, 18, codes["End of shift"]),
        "filing": stayed("bob", "NOT_READY", 0, 4, codes["Filing"], mrd=5002),
    }


@pytest.fixture
def browser_of(cast: Cast) -> Browser:
    def signed_in(login_id: str) -> Client:
        browser = Client()
        browser.force_login(User.objects.get(pk=login_id))
        return browser

    return signed_in
