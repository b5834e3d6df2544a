"""In service or not: 503 before anything is touched, health, SystemInfo, the sweep."""

import time
from collections.abc import Callable
from typing import Any
from xml.etree.ElementTree import fromstring

import pytest
from django.conf import settings as django_settings
from django.core.cache import cache
from django.core.checks import run_checks
from django.db import OperationalError
from redis.exceptions import ConnectionError as RedisConnectionError

from finesse import heartbeat
from finesse.notifications.models import Notification, TransportCursor
from finesse.notifications.places import Place
from finesse.notifications.transports import channels
from media import tasks
from media.models import Media, MediaRequest
from media.writing import writer
from media.writing.writer import Applied
from tests.conftest import API, LOGIN, Cast, silence

pytestmark = pytest.mark.usefixtures("cast")

OUT_OF_SERVICE = (
    "<ApiErrors>\n"
    "  <ApiError>\n"
    "    <ErrorType>Service Unavailable</ErrorType>\n"
    "    <ErrorData></ErrorData>\n"
    "    <ErrorMessage>SERVER_OUT_OF_SERVICE</ErrorMessage>\n"
    "  </ApiError>\n"
    "</ApiErrors>\n"
)


def out_of_service(api: API) -> None:
    for response in (
        api.put(LOGIN, requestId="r-1"),
        api.get(),
        api.request("GET", "User/alice/Media"),
        api.request("GET", "Nonsense"),
        api.get(login=None),
    ):
        assert (response.status_code, response.content.decode()) == (503, OUT_OF_SERVICE)
    assert not MediaRequest.objects.exists()


@pytest.mark.parametrize("part", heartbeat.PARTS)
def test_a_part_that_has_stopped_puts_the_service_out_of_service(
    api: API, settings: Any, part: str
) -> None:
    settings.FINESSE_HEARTBEAT_SECONDS = 5
    silence(part)
    out_of_service(api)
    health = api.client.get("/healthz")
    assert health.status_code == 503
    assert health.json()["status"] == "OUT_OF_SERVICE"
    assert health.json()["parts"][part] == "not seen to work for 5 s"


@pytest.mark.parametrize("ahead", [-3600, -8, 8, 3600])
def test_whose_clock_is_wrong_does_not_matter(
    api: API, settings: Any, monkeypatch: pytest.MonkeyPatch, ahead: float
) -> None:
    settings.FINESSE_HEARTBEAT_SECONDS = 5
    real = time.time
    with monkeypatch.context() as wrong:
        wrong.setattr(time, "time", lambda: real() + ahead)
        worker_beats()
        assert heartbeat.faults() == {}
    # In one process the cache's clock has just been set, too: until the next beat.
    if not django_settings.REDIS_URL:
        worker_beats()
    assert heartbeat.faults() == {}


@pytest.mark.parametrize("part", heartbeat.PARTS)
def test_a_part_that_has_stopped_is_noticed_though_the_caches_clock_was_set_back(
    settings: Any, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    settings.FINESSE_HEARTBEAT_SECONDS = 5
    now = 0.0
    monkeypatch.setattr(heartbeat, "clock", lambda: now)
    worker_beats()
    assert heartbeat.faults() == {}
    for now in (2.0, 4.0, 6.0, 6.1):
        for other in heartbeat.PARTS:
            if other != part:
                heartbeat.stamp(other)
        # It would expire in an hour.
        cache.touch(f"stamp:{part}", timeout=None)
        assert set(heartbeat.faults()) == (set() if now <= 5 else {part})
    worker_beats()
    assert heartbeat.faults() == {}


def worker_beats() -> None:
    for part in heartbeat.PARTS:
        heartbeat.stamp(part)


@pytest.mark.parametrize("part", heartbeat.PARTS)
def test_before_the_first_beat_the_service_is_not_in_service(api: API, part: str) -> None:
    cache.delete(f"heartbeat:{part}")
    out_of_service(api)
    assert api.client.get("/healthz").json()["parts"][part] == "has not started yet"


def test_an_xmpp_server_counts_where_there_is_one(api: API, settings: Any) -> None:
    assert "xmpp" not in api.client.get("/healthz").json()["parts"]
    settings.FINESSE_XMPP_SECRET = "shared with the XMPP server"
    out_of_service(api)
    assert api.client.get("/healthz").json()["parts"]["xmpp"] == "has not started yet"
    heartbeat.stamp(heartbeat.XMPP)
    assert api.client.get("/healthz").json()["parts"]["xmpp"] == "ok"
    assert heartbeat.in_service()


def test_a_cache_that_is_away_puts_the_service_out_of_service(
    api: API, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*args: Any, **kwargs: Any) -> None:
        raise RedisConnectionError("refused")

    with monkeypatch.context() as broken:
        broken.setattr(cache, "get_many", away)
        out_of_service(api)
        assert api.client.get("/healthz").json()["parts"]["cache"] == "does not answer"


def test_a_database_that_goes_away_under_a_request_is_out_of_service(
    api: API, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*args: Any) -> None:
        raise OperationalError("terminating connection")

    monkeypatch.setattr("media.api.views.accept", away)
    response = api.put(LOGIN, requestId="r-1")
    assert (response.status_code, response.content.decode()) == (503, OUT_OF_SERVICE)
    assert response["requestId"] == "r-1"


def test_health_says_which_part_is_down(api: API, monkeypatch: pytest.MonkeyPatch) -> None:
    health = api.client.get("/healthz")
    assert (health.status_code, set(health.json()["parts"].values())) == (200, {"ok"})
    assert set(health.json()["parts"]) == {"database", "cache", "worker", "notifications", "sweep"}

    def away() -> None:
        raise OperationalError("refused")

    with monkeypatch.context() as broken:
        broken.setattr("finesse.service_watch.connection.ensure_connection", away)
        health = api.client.get("/healthz")
    assert (health.status_code, health.json()["parts"]["database"]) == (503, "does not answer")


def test_system_info_is_readable_by_anybody_in_and_out_of_service(api: API) -> None:
    for beats, status in ((True, "IN_SERVICE"), (False, "OUT_OF_SERVICE")):
        if not beats:
            cache.delete("heartbeat:worker")
        response = api.request("GET", "SystemInfo", login=None)
        assert response.status_code == 200
        info = fromstring(response.content)
        assert info.tag == "SystemInfo"
        assert info.findtext("status") == status
        assert bool(info.findtext("statusReason")) is not beats
        assert info.findtext("systemAuthMode") == "NON_SSO"


@pytest.mark.usefixtures("own_layer")
class TestSweep:
    def test_it_applies_what_a_lost_bell_left_and_says_that_all_is_well(self, api: API) -> None:
        api.put(LOGIN)
        for part in heartbeat.PARTS:
            cache.delete(f"heartbeat:{part}")
        tasks.sweep()
        assert Media.objects.get(user="alice", mrd=5001).state == "NOT_READY"
        assert heartbeat.faults() == {}

    def test_it_says_nothing_of_the_worker_when_the_database_is_away(
        self, api: API, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        cache.delete("heartbeat:worker")
        monkeypatch.setattr(tasks, "apply_batch", raising(OperationalError("away")))
        monkeypatch.setattr("media.tasks.connection.close", lambda: None)
        with pytest.raises(OperationalError):
            tasks.sweep()
        assert set(heartbeat.faults()) == {"worker"}

    def test_it_has_its_turn_between_tasks_that_have_more_to_do(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The rest waits for another task, behind the sweep that has been called for."""
        done: list[str] = []
        monkeypatch.setattr(tasks, "LONGEST_WORK_SECONDS", 0.0)
        busy = Applied(writer.REQUESTS_PER_BATCH, is_more=True)
        monkeypatch.setattr(tasks, "apply_batch", lambda: done.append("batch") or busy)
        monkeypatch.setattr(tasks.bell, "_send", lambda: done.append("bell"))
        tasks.apply_requests()
        assert done == ["batch", "bell"]

    def test_it_says_that_beat_has_called_though_the_work_fails(
        self, api: API, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        cache.delete("heartbeat:sweep")
        monkeypatch.setattr(tasks, "apply_batch", raising(ValueError("at work")))
        with pytest.raises(ValueError, match="at work"):
            tasks.sweep()
        assert heartbeat.faults() == {}

    def test_it_says_nothing_of_the_notifications_when_they_cannot_be_handed_over(
        self, api: API, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        cache.delete("heartbeat:notifications")
        monkeypatch.setattr(channels, "deliver", raising(ConnectionError("away")))
        with pytest.raises(ConnectionError):
            tasks.sweep()
        assert set(heartbeat.faults()) == {"notifications"}

    def test_a_hand_over_that_failed_is_made_again_from_the_same_place(
        self, api: API, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        tasks.sweep()
        before = TransportCursor.objects.get(name="channels").position
        api.put(LOGIN)
        with monkeypatch.context() as broken:
            broken.setattr(channels, "deliver", raising(ConnectionError("away")))
            with pytest.raises(ConnectionError):
                tasks.sweep()
        assert TransportCursor.objects.get(name="channels").position == before
        handed_over: list[int] = []

        def record(batch: list[Notification], head: Any, after: Place) -> None:
            assert after.position == before
            handed_over.extend(one.position for one in batch)

        monkeypatch.setattr(channels, "deliver", record)
        tasks.sweep()
        assert handed_over == [before + 1]


def raising(error: Exception) -> Callable[..., Any]:
    def fail(*args: Any, **kwargs: Any) -> Any:
        raise error

    return fail


def test_the_bell_is_one_message_however_many_requests_come(
    api: API, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[bool] = []
    monkeypatch.setattr("media.writing.bell._send", lambda: sent.append(True))
    for _ in range(5):
        api.put(LOGIN)
    assert len(sent) == 1


@pytest.mark.usefixtures("own_layer")
def test_a_request_accepted_while_the_writer_works_rings_anew(
    api: API, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[bool] = []
    monkeypatch.setattr("media.writing.bell._send", lambda: sent.append(True))
    api.put(LOGIN)
    tasks.apply_requests()
    api.state("READY")
    assert len(sent) == 2


@pytest.mark.parametrize(
    ("changes", "id"),
    [
        ({"REDIS_URL": "redis://x", "CELERY_BROKER_URL": "memory://localhost/"}, "finesse.E001"),
        ({"REDIS_URL": "", "CELERY_BROKER_URL": "amqp://x"}, "finesse.E001"),
        ({"FINESSE_USER_SIGNOUT_CHANNEL": "3"}, "finesse.E002"),
        ({"FINESSE_HEARTBEAT_SECONDS": 0.9}, "finesse.W001"),
        ({"MIDDLEWARE": [*django_settings.MIDDLEWARE, "audit.Log"]}, "finesse.W003"),
    ],
)
def test_settings_that_cannot_work_are_reported_at_start(
    settings: Any, changes: dict[str, Any], id: str
) -> None:
    assert [message.id for message in run_checks()] == []
    for name, value in changes.items():
        setattr(settings, name, value)
    (message,) = run_checks()
    assert message.id == id
    assert message.hint


def test_a_middleware_that_the_api_does_not_get_is_named(settings: Any) -> None:
    settings.MIDDLEWARE = ["audit.Log", *settings.MIDDLEWARE, "audit.Trace"]
    settings.FINESSE_API_MIDDLEWARE = ["audit.Trace"]
    (message,) = run_checks()
    assert "do not pass audit.Log:" in message.msg
    settings.FINESSE_API_MIDDLEWARE = ["audit.Log", "audit.Trace"]
    assert run_checks() == []


def test_being_in_service_is_assumed_for_a_moment_being_out_is_not(
    in_service: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000.0
    monkeypatch.setattr(heartbeat, "_monotonic", lambda: now)
    monkeypatch.setattr(heartbeat, "IN_SERVICE_CACHE_SECONDS", 0.1)
    monkeypatch.setattr(heartbeat, "_seen_in_service", float("-inf"))
    assert heartbeat.in_service()
    cache.delete("heartbeat:worker")
    assert heartbeat.in_service()
    now += 0.1
    assert not heartbeat.in_service()
    heartbeat.stamp("worker")
    assert heartbeat.in_service()


def test_the_cast_has_what_the_tests_say(cast: Cast) -> None:
    assert (cast.alice.role, cast.carol.role, cast.dave.role) == (
        "agent",
        "supervisor",
        "administrator",
    )
