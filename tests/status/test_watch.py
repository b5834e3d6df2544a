"""The watch of a server: requests, SystemInfo and /healthz take from memory what it has seen."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.db import OperationalError
from redis.exceptions import ConnectionError as RedisConnectionError

from finesse import heartbeat, service_watch, wait_limit
from tests.conftest import API, LOGIN

pytestmark = pytest.mark.usefixtures("cast")


@pytest.fixture(autouse=True)
def unwatched(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(heartbeat, "_noted", None)
    yield
    wait_limit.standing_still.clear()


def away(*args: Any, **options: Any) -> None:
    raise RedisConnectionError("refused")


def refused(*args: Any, **options: Any) -> None:
    raise OperationalError("refused")


def statuses(api: API) -> tuple[int, int]:
    """Of the API and of /healthz."""
    return api.get().status_code, api.client.get("/healthz").status_code


def test_what_it_has_seen_is_known_without_asking_the_cache(
    api: API, monkeypatch: pytest.MonkeyPatch
) -> None:
    service_watch.look()
    with monkeypatch.context() as broken:
        broken.setattr(cache, "get_many", away)
        assert statuses(api) == (200, 200)
        service_watch.look()
    assert statuses(api) == (503, 503)
    assert api.client.get("/healthz").json()["parts"]["cache"] == "does not answer"
    assert api.request("GET", "SystemInfo", login=None).status_code == 200
    service_watch.look()
    assert statuses(api) == (200, 200)


def test_a_database_that_does_not_answer_is_asked_by_the_watch_alone(
    api: API, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(service_watch, "database_answers", lambda: False)
        service_watch.look()
    broken_parts = api.client.get("/healthz").json()["parts"]
    assert {part for part, health in broken_parts.items() if health != "ok"} == {"database"}
    with monkeypatch.context() as broken:
        broken.setattr("finesse.service_watch.connection.ensure_connection", refused)
        assert api.put(LOGIN).status_code == 503
    service_watch.look()
    assert statuses(api) == (200, 200)


def test_a_restart_of_the_database_between_two_looks_is_no_outage(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ends: list[BaseException] = [OperationalError("terminating connection")]

    def ensure() -> None:
        if ends:
            raise ends.pop()

    monkeypatch.setattr("finesse.service_watch.connection.ensure_connection", ensure)
    monkeypatch.setattr("finesse.service_watch.connection.close", lambda: None)
    service_watch.look()
    assert not wait_limit.standing_still


def test_when_the_watch_itself_stands_still_requests_look_themselves(
    api: API, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = heartbeat._monotonic()
    monkeypatch.setattr(heartbeat, "_monotonic", lambda: now)
    service_watch.look()
    with monkeypatch.context() as broken:
        broken.setattr(cache, "get_many", away)
        now += heartbeat.NOTED_SECONDS
        assert statuses(api) == (200, 200)
        now += 0.1
        assert statuses(api) == (503, 503)


def test_a_look_that_fails_is_not_the_last(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    looks = 0

    class EndedError(BaseException):
        pass

    def look() -> None:
        nonlocal looks
        looks += 1
        raise ValueError if looks < 3 else EndedError

    monkeypatch.setattr(service_watch, "look", look)
    monkeypatch.setattr(service_watch, "LOOK_SECONDS", 0.0)
    with pytest.raises(EndedError):
        service_watch._watch()
    assert len(caplog.records) == 2


def test_a_heartbeat_may_be_allowed_less_than_a_second(settings: Any) -> None:
    """Caches count whole seconds."""
    settings.FINESSE_HEARTBEAT_SECONDS = 0.9
    for part in heartbeat.PARTS:
        heartbeat.stamp(part)
    assert heartbeat.faults() == {}
