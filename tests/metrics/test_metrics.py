"""/metrics: what the database knows, what was counted, and who may read it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.db import OperationalError
from django.test import Client
from django.utils import timezone

from finesse import heartbeat
from finesse.users import lockout
from media import request_counts
from media.models import MediaRequest
from media.request_counts import CACHE_KEY, counted
from tests.conftest import API, LOGIN, silence
from tests.metrics.read import samples

pytestmark = pytest.mark.usefixtures("cast")

Settle = Callable[[], Any]
NOT_LOGGED_IN = "E_ARM_STAT_AGENT_NOT_LOGGED_IN"


def look(client: Client | None = None) -> dict[tuple[str, ...], float]:
    answer = (client or Client()).get("/metrics", REMOTE_ADDR="127.0.0.1", HTTP_HOST="localhost")
    assert answer.status_code == 200, answer.content
    assert answer["Content-Type"].startswith("text/plain; version=0.0.4")
    return samples(answer.content.decode())


# --- what the database knows --------------------------------------------------------------------


def test_requests_are_counted_by_outcome_and_error(api: API, settle: Settle) -> None:
    assert look()["finesse_requests_accepted_total",] == 0
    api.put(LOGIN)
    api.state("READY", mrd=5000)
    seen = look()
    assert seen["finesse_requests_accepted_total",] == seen["finesse_requests_pending",] == 2
    assert seen["finesse_requests_oldest_pending_seconds",] >= 0
    settle()
    api.put(LOGIN.replace("LOGIN", "READY"))
    settle()
    seen = look()
    assert seen["finesse_requests_pending",] == 0
    assert seen["finesse_requests_oldest_pending_seconds",] == 0
    assert seen["finesse_requests_applied_total", "", "changed"] == 2
    assert seen["finesse_requests_applied_total", NOT_LOGGED_IN, "error"] == 1
    assert seen["finesse_requests_accepted_total",] == 3
    assert seen["finesse_notifications_total",] >= 3
    assert ("finesse_transport_lag", "channels") not in seen


def test_the_age_of_the_oldest_pending_request_grows(api: API) -> None:
    api.put(LOGIN)
    MediaRequest.objects.update(accepted_at=timezone.now() - timedelta(seconds=90))
    assert 90 <= look()["finesse_requests_oldest_pending_seconds",] < 120


def grow_old() -> None:
    old = timezone.now() - timedelta(seconds=2 * request_counts.SETTLED_SECONDS)
    MediaRequest.objects.update(accepted_at=old)


def test_requests_are_counted_once_and_not_read_again(api: API, settle: Settle) -> None:
    counted()
    api.put(LOGIN)
    settle()
    grow_old()
    assert counted().total() == 1
    # As if they were pruned: who reads the table at each look would forget them.
    MediaRequest.objects.all().delete()
    assert counted() == {("changed", ""): 1}
    assert counted() == {("changed", ""): 1}


def test_a_request_that_waits_keeps_its_place_in_the_count(api: API, settle: Settle) -> None:
    counted()
    api.put(LOGIN)
    grow_old()
    assert counted() == {("", ""): 1}
    settle()
    assert counted() == {("changed", ""): 1}


def test_after_a_long_time_the_next_looks_go_on(
    api: API, settle: Settle, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted()
    monkeypatch.setattr(request_counts, "ROWS_AT_ONCE", 2)
    for _ in range(5):
        api.put(LOGIN)
        settle()
    grow_old()
    assert [counted().total() for _ in range(4)] == [2, 4, 5, 5]


def test_a_restored_database_begins_a_new_count(api: API, settle: Settle) -> None:
    cache.set(CACHE_KEY, (10**9, counted()), timeout=None)
    for number in range(2):
        api.put(LOGIN)
        settle()
        assert counted().total() == number


def test_each_part_is_up_or_down(api: API) -> None:
    seen = look()
    assert seen["finesse_in_service",] == 1
    assert {seen["finesse_part_up", part] for part in heartbeat.PARTS} == {1}
    assert 0 <= seen["finesse_heartbeat_age_seconds", "worker"] < 60
    silence("worker")
    seen = look()
    assert seen["finesse_in_service",] == seen["finesse_part_up", "worker"] == 0
    assert seen["finesse_part_up", "sweep"] == 1


def test_blocks_after_wrong_passwords_are_counted(api: API, settings: Any) -> None:
    assert look()["finesse_password_blocks",] == 0
    for _ in range(settings.FINESSE_LOCKOUT_FAILURES):
        api.get(password="wrong")
    seen = look()
    assert seen["finesse_password_blocks",] == lockout.blocks() == 1
    assert seen["finesse_password_checks_done_total", "wrong"] >= settings.FINESSE_LOCKOUT_FAILURES


def test_without_a_database_the_rest_is_there(api: API, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*args: Any, **options: Any) -> Any:
        raise OperationalError("refused")

    monkeypatch.setattr("media.metrics.MediaRequest.objects.filter", away)
    monkeypatch.setattr("media.metrics.counted", away)
    monkeypatch.setattr("media.metrics.log.head", away)
    seen = look()
    assert ("finesse_requests_pending",) not in seen
    assert seen["finesse_in_service",] == 1
    assert ("finesse_password_blocks",) in seen


# --- what was counted ---------------------------------------------------------------------------


def test_answers_are_counted_by_status(api: API) -> None:
    before = look()
    api.put(LOGIN)
    api.put("nonsense")
    api.client.get("/no-such-page")
    seen = look()

    def more(*key: str) -> float:
        return seen[("finesse_answers_total", *key)] - before.get(
            ("finesse_answers_total", *key), 0
        )

    assert (more("api", "202"), more("api", "400"), more("page", "404")) == (1, 1, 1)
    key = ("finesse_answer_seconds_count", "api")
    assert seen[key] - before.get(key, 0) == 2


def test_the_time_to_the_outcome_is_measured(api: API, settle: Settle) -> None:
    key = ("finesse_apply_seconds_count", "media")
    before = look().get(key, 0)
    api.put(LOGIN)
    settle()
    assert look()[key] - before == 1


# --- who may read it ----------------------------------------------------------------------------


def refused(**request: str) -> int:
    answer = Client().get(
        "/metrics", **{"REMOTE_ADDR": "127.0.0.1", "HTTP_HOST": "localhost", **request}
    )
    assert b"finesse_requests" not in answer.content
    return answer.status_code


@pytest.mark.parametrize(
    "request_",
    [
        {"REMOTE_ADDR": "192.0.2.1"},
        {"REMOTE_ADDR": ""},
        {"HTTP_X_FORWARDED_FOR": "127.0.0.1"},
        {"HTTP_FORWARDED": "for=127.0.0.1"},
        {"HTTP_X_REAL_IP": "127.0.0.1"},
        {"HTTP_VIA": "1.1 proxy"},
        {"HTTP_HOST": "finesse.example.com"},
        {"REMOTE_ADDR": "192.0.2.1", "HTTP_X_FORWARDED_FOR": "127.0.0.1"},
    ],
)
def test_without_a_token_this_machine_alone_may_read_it(
    request_: dict[str, str], settings: Any
) -> None:
    settings.FINESSE_TRUSTED_PROXIES = ["127.0.0.0/8"]
    assert refused(**request_) == 403


@pytest.mark.parametrize(
    "header",
    [None, "Bearer wrong", "Bearer ", "Basic correct-horse-battery", "correct-horse-battery"],
)
def test_with_a_token_nobody_reads_it_without(header: str | None, settings: Any) -> None:
    settings.FINESSE_METRICS_TOKEN = "correct-horse-battery"
    assert refused(**({"HTTP_AUTHORIZATION": header} if header else {})) == 401


def test_who_has_the_token_reads_it_from_anywhere(api: API, settings: Any) -> None:
    settings.FINESSE_METRICS_TOKEN = "correct-horse-battery"
    answer = Client().get(
        "/metrics",
        REMOTE_ADDR="192.0.2.1",
        HTTP_X_FORWARDED_FOR="192.0.2.7",
        HTTP_AUTHORIZATION="Bearer correct-horse-battery",
    )
    assert answer.status_code == 200
    assert b"finesse_requests_pending" in answer.content


def test_it_is_read_only_and_never_cached(api: API) -> None:
    assert Client().post("/metrics").status_code == 405
    answer = Client().get("/metrics", HTTP_HOST="localhost")
    assert "no-store" in answer["Cache-Control"]
    assert not answer.cookies
