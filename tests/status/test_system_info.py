"""SystemInfo: its representation, and the notifications of an outage that lasts and of its end."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, fromstring

import pytest
from channels.db import database_sync_to_async
from django.core.cache import cache
from django.db import connection
from redis.exceptions import ConnectionError as RedisConnectionError

from finesse import heartbeat
from finesse.notifications import hub as hub_module
from finesse.notifications import log, outages
from finesse.notifications.hub import Hub
from finesse.notifications.models import LogHead, Notification, TransportCursor
from finesse.notifications.nodes import SYSTEM_INFO
from finesse.notifications.outages import OutageWatch, publish_status
from finesse.notifications.readers import readers_of
from finesse.status.system_info import Status
from media import tasks
from tests.conftest import API, Cast, empty_the_cache, silence, update_of
from tests.kit.followers import follow, position_of, take, write
from tests.kit.golden_files import golden
from tests.kit.installation import ON_SERVICES, Installation
from tests.kit.socket_client import watch

IN, OUT = Status.IN_SERVICE, Status.OUT_OF_SERVICE


def system_info(api: API, **options: Any) -> Element:
    response = api.request("GET", "SystemInfo", login=None, **options)
    assert response.status_code == 200
    return fromstring(response.content)


def tags(element: Element) -> list[str]:
    return [one.tag for one in element.iter()]


def published() -> list[str]:
    """The published statuses of the service, in the order of the log."""
    notifications = Notification.objects.filter(node=SYSTEM_INFO).order_by("position")
    return [update_of(one).findtext("data/systemInfo/status") or "" for one in notifications]


# --- the representation -------------------------------------------------------------------------


def test_every_documented_element_is_there_in_its_order(api: API) -> None:
    assert tags(system_info(api)) == tags(fromstring(golden("system-info")))


def test_what_there_is_nothing_true_to_say_of_is_empty(api: API) -> None:
    info = system_info(api)
    filled = {one.tag for one in info.iter() if (one.text or "").strip()}
    assert filled == {
        "ctiHeartbeatInterval",
        "currentTimestamp",
        "deploymentType",
        "lastCTIHeartbeatStatus",
        "lastSuccessCTIHeartbeatTime",
        "host",
        "status",
        "systemAuthMode",
        "timezoneOffset",
        "uri",
        "xmppDomain",
        "xmppPubSubDomain",
    }
    assert info.findtext("ctiHeartbeatInterval") == "1"


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ("finesse.example", "finesse.example"),
        ("Finesse.Example:8445", "finesse.example"),
        ("[::1]:8000", "::1"),
    ],
)
def test_the_host_is_the_one_that_was_asked(
    api: API, settings: Any, asked: str, shown: str
) -> None:
    settings.ALLOWED_HOSTS = ["finesse.example", "[::1]"]
    assert system_info(api, Host=asked).findtext("primaryNode/host") == shown


@pytest.mark.parametrize(
    "asked",
    ["elsewhere.example", "elsewhere.example:8445", "10.0.0.7", "[fe80::1]:80", "a b", "<x>", "_"],
)
@pytest.mark.parametrize("configured", ["", "finesse.example"])
def test_a_client_that_uses_an_unknown_host_gets_an_answer_with_ours(
    cast: Cast, api: API, settings: Any, asked: str, configured: str
) -> None:
    settings.FINESSE_HOST = configured
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    info = system_info(api, Host=asked)
    assert info.findtext("primaryNode/host") == (configured or socket.gethostname())
    assert info.findtext("primaryNode/host") not in ("", asked)
    assert api.request("GET", "User/alice/Media", Host=asked).status_code == 200
    info = system_info(api, Host=asked, **{"X-Forwarded-Proto": "https"})
    assert info.findtext("primaryNode/httpsPort") == "80"  # The test client's SERVER_PORT.


def test_the_configured_host_is_shown_to_every_caller(api: API, settings: Any) -> None:
    settings.FINESSE_HOST = "finesse.example"
    assert system_info(api).findtext("primaryNode/host") == "finesse.example"


@pytest.mark.parametrize(
    ("asked", "scheme", "shown"),
    [
        ("finesse.example", "https", "443"),
        ("finesse.example:8445", "https", "8445"),
        ("finesse.example:99999", "https", "99999"),
        ("finesse.example:8000", "http", ""),
    ],
)
def test_the_port_for_https_is_the_one_that_was_asked(
    api: API, settings: Any, asked: str, scheme: str, shown: str
) -> None:
    settings.ALLOWED_HOSTS = ["finesse.example"]
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    info = system_info(api, Host=asked, **{"X-Forwarded-Proto": scheme})
    assert info.findtext("primaryNode/httpsPort") == shown


def test_the_xmpp_domains_are_shown_where_there_is_one(api: API, settings: Any) -> None:
    settings.FINESSE_XMPP_DOMAIN = "finesse.example"
    info = system_info(api)
    assert info.findtext("xmppDomain") == "finesse.example"
    assert info.findtext("xmppPubSubDomain") == "pubsub.finesse.example"


@pytest.mark.parametrize(
    ("secret", "shown"), [("there is one", ("15222", "15223")), ("", ("", ""))]
)
def test_the_ports_of_the_xmpp_server_are_shown_where_there_is_one(
    api: API, settings: Any, secret: str, shown: tuple[str, str]
) -> None:
    settings.FINESSE_XMPP_SECRET = secret
    settings.FINESSE_XMPP_PORT, settings.FINESSE_XMPP_SECURE_PORT = 15222, 15223
    node = system_info(api).find("primaryNode")
    assert node is not None
    assert (node.findtext("xmppPort"), node.findtext("xmppSecurePort")) == shown


def test_the_workers_heartbeat_is_shown_with_its_time_in_milliseconds(api: API) -> None:
    beat = time.time()
    cache.set("heartbeat:worker", beat)
    info = system_info(api)
    assert info.findtext("lastCTIHeartbeatStatus") == "success"
    assert info.findtext("lastSuccessCTIHeartbeatTime") == str(int(beat * 1000))


def test_a_worker_that_has_stopped_is_a_failure_with_the_time_of_its_last_beat(api: API) -> None:
    beat = time.time() - 60
    silence("worker", last_beat=beat)
    info = system_info(api)
    assert info.findtext("status") == OUT
    assert info.findtext("statusReason") == "worker not seen to work for 60 s"
    assert info.findtext("lastCTIHeartbeatStatus") == "failure"
    assert info.findtext("lastSuccessCTIHeartbeatTime") == str(int(beat * 1000))


def test_a_delivery_that_has_stopped_is_out_of_service_but_no_failure_of_the_worker(
    api: API,
) -> None:
    silence("notifications")
    info = system_info(api)
    assert info.findtext("status") == OUT
    assert info.findtext("lastCTIHeartbeatStatus") == "success"


def test_a_worker_that_never_started_is_a_failure_without_a_time(api: API) -> None:
    cache.delete("heartbeat:worker")
    info = system_info(api)
    assert info.findtext("lastCTIHeartbeatStatus") == "failure"
    assert info.findtext("lastSuccessCTIHeartbeatTime") == ""


def test_a_cache_that_is_away_leaves_it_readable(api: API, cacheless: Callable[[], Any]) -> None:
    cacheless()
    info = system_info(api)
    assert info.findtext("statusReason") == "cache does not answer"
    assert info.findtext("lastCTIHeartbeatStatus") == "failure"


@pytest.fixture
def cacheless(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], pytest.MonkeyPatch]]:
    """Call it, and the cache is away until its `undo` is called, or the test ends."""
    with monkeypatch.context() as broken:

        def take_away() -> pytest.MonkeyPatch:
            def away(*args: Any, **kwargs: Any) -> None:
                raise RedisConnectionError("refused")

            broken.setattr(cache, "get_many", away)
            return broken

        yield take_away


# --- publishing ---------------------------------------------------------------------------------


def stop(*parts: str) -> None:
    for part in parts or heartbeat.PARTS:
        silence(part, last_beat=time.time() - 60)


def beat() -> None:
    for part in heartbeat.PARTS:
        heartbeat.stamp(part)


@pytest.mark.usefixtures("in_service", "own_layer", "db")
class TestTelling:
    def test_a_change_is_one_notification_with_the_whole_object(
        self, django_capture_on_commit_callbacks: Any
    ) -> None:
        stop("worker")
        with django_capture_on_commit_callbacks(execute=True):
            publish_status(OUT)
        notification = Notification.objects.get()
        assert (notification.node, notification.source) == (SYSTEM_INFO, SYSTEM_INFO)
        assert (notification.event, notification.request_id) == ("PUT", "")
        update = update_of(notification)
        assert tags(update) == tags(fromstring(golden("update-system-info")))
        assert update.findtext("data/systemInfo/status") == OUT
        assert update.findtext("data/systemInfo/primaryNode/host")
        assert TransportCursor.objects.get(name="channels").position == notification.position

    def test_a_published_status_is_not_published_again(self) -> None:
        publish_status(IN)
        assert published() == []
        stop()
        publish_status(OUT)
        publish_status(OUT)
        assert published() == [OUT]

    def test_an_outdated_status_is_not_published(self) -> None:
        publish_status(OUT)
        assert published() == []
        assert log.head().status == IN

    def test_the_sweep_publishes_once_that_the_service_is_back(self) -> None:
        stop()
        publish_status(OUT)
        tasks.sweep()
        tasks.sweep()
        assert published() == [OUT, IN]

    def test_a_sweep_in_service_publishes_nothing(self) -> None:
        tasks.sweep()
        assert not Notification.objects.exists()

    def test_a_sweep_with_a_failed_delivery_does_not_publish_that_the_service_is_back(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        stop()
        publish_status(OUT)

        def fail() -> None:
            raise ConnectionError("away")

        monkeypatch.setattr(tasks, "publish_all", fail)
        with pytest.raises(ConnectionError):
            tasks.sweep()
        assert published() == [OUT]


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("in_service", "own_layer")
def test_processes_that_notice_at_once_publish_it_once(monkeypatch: pytest.MonkeyPatch) -> None:
    stop()
    together = threading.Barrier(4)
    head = log.head

    def head_at_once() -> LogHead:
        found = head()
        together.wait(60)
        return found

    def notice() -> None:
        try:
            publish_status(OUT)
        finally:
            connection.close()

    monkeypatch.setattr(outages.log, "head", head_at_once)
    monkeypatch.setattr(log, "publish_after_commit", lambda: None)
    threads = [threading.Thread(target=notice) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert published() == [OUT]


# --- a server's look at the heartbeats ----------------------------------------------------------


@pytest.mark.usefixtures("own_layer", "db")
class TestWatch:
    """Looks at seconds of the server's own clock; an outage lasts when it is longer than 5."""

    @pytest.fixture(autouse=True)
    def five_seconds(self, settings: Any) -> None:
        settings.FINESSE_HEARTBEAT_SECONDS = 5

    def test_what_has_not_started_yet_has_not_stopped(self) -> None:
        server = OutageWatch()
        for second in range(0, 100, 5):
            server.look(second)
        assert published() == []

    @pytest.mark.parametrize("part", heartbeat.PARTS)
    def test_a_stopped_part_is_published_when_it_lasts_and_not_before(self, part: str) -> None:
        server = OutageWatch()
        beat()
        stop(part)
        other = next(one for one in heartbeat.PARTS if one != part)
        for second in (0, 2, 5):
            server.look(second)
            heartbeat.stamp(other)
        assert published() == []
        for second in (5.1, 6, 100):
            server.look(second)
            heartbeat.stamp(other)
        assert published() == [OUT]

    def test_a_part_that_beats_again_in_time_is_not_published(self) -> None:
        server = OutageWatch()
        for second in range(0, 100, 5):
            beat()
            server.look(second)
        assert published() == []

    def test_a_beat_of_a_former_life_is_given_time_to_change(self) -> None:
        stop()
        server = OutageWatch()
        server.look(0)
        server.look(4)
        beat()
        server.look(8)
        assert published() == []

    def test_a_worker_with_a_late_clock_is_not_published(self) -> None:
        server = OutageWatch()
        for second in range(0, 100, 5):
            beat()
            for part in heartbeat.PARTS:
                cache.set(f"heartbeat:{part}", time.time() - 60, timeout=None)
            server.look(second)
        assert heartbeat.in_service()
        assert published() == []

    def test_a_cache_that_is_away_for_a_moment_is_not_published(
        self, cacheless: Callable[[], pytest.MonkeyPatch]
    ) -> None:
        server = OutageWatch()
        beat()
        server.look(0)
        broken = cacheless()
        server.look(4)
        broken.undo()
        beat()
        server.look(6)
        assert published() == []

    def test_a_cache_that_stays_away_is_published(self, cacheless: Callable[[], Any]) -> None:
        server = OutageWatch()
        beat()
        server.look(0)
        cacheless()
        server.look(6)
        assert published() == [OUT]

    def test_a_cache_that_comes_back_empty_does_not_hide_that_the_worker_has_stopped(
        self, settings: Any
    ) -> None:
        server = OutageWatch()
        beat()
        server.look(0)
        empty_the_cache(settings)
        server.look(4)
        assert published() == []
        server.look(6)
        assert published() == [OUT]

    def test_each_outage_is_published(self) -> None:
        server = OutageWatch()
        for second in (0, 100):
            beat()
            server.look(second)
            stop()
            server.look(second + 1)
            server.look(second + 7)
            tasks.sweep()
        assert published() == [OUT, IN, OUT, IN]

    def test_a_server_that_is_cut_off_does_not_contend_with_the_worker(
        self, cacheless: Callable[[], pytest.MonkeyPatch]
    ) -> None:
        server = OutageWatch()
        beat()
        server.look(0)
        for second in (6, 7, 8):
            broken = cacheless()
            server.look(second)
            broken.undo()
            tasks.sweep()
        assert published() == [OUT, IN]

    def test_a_status_that_could_not_be_published_is_published_by_the_next_look(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        server = OutageWatch()
        beat()
        server.look(0)
        stop()
        server.look(1)

        def away() -> None:
            raise ConnectionError("the database is away")

        with monkeypatch.context() as broken:
            broken.setattr(log, "head", away)
            with pytest.raises(ConnectionError):
                server.look(7)
        server.look(8)
        assert published() == [OUT]


# --- the hub ------------------------------------------------------------------------------------


@pytest.fixture
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """The hub looks at the heartbeats all the time."""
    monkeypatch.setattr(hub_module, "HEARTBEAT_CHECK_SECONDS", 0.01)


@pytest.mark.django_db(transaction=True)
async def test_all_sockets_get_a_notification_when_the_worker_has_stopped(
    no_pause: None, settings: Any, hub: Hub
) -> None:
    followers = [await follow(hub, who) for who in ("alice", "carol", "dave")]
    settings.FINESSE_HEARTBEAT_SECONDS = 0
    await database_sync_to_async(stop)()
    assert [len(await take(one, 1)) for one in followers] == [1, 1, 1]
    assert await database_sync_to_async(published)() == [OUT]


@pytest.mark.django_db(transaction=True)
async def test_the_hub_survives_looks_that_fail_and_goes_on_looking(
    no_pause: None,
    settings: Any,
    hub: Hub,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    failures = iter([ConnectionError("the database is away"), ValueError("a mistake")])
    publish = outages.publish_status

    def fail_first(what: Status) -> None:
        if failure := next(failures, None):
            raise failure
        publish(what)

    monkeypatch.setattr(outages, "publish_status", fail_first)
    follower = await follow(hub, "alice")
    settings.FINESSE_HEARTBEAT_SECONDS = 0
    await database_sync_to_async(stop)()
    (position,) = await take(follower, 1)
    assert "the database is away" in caplog.text
    assert "a mistake" in caplog.text
    (next_one,) = await write("alice")
    assert position_of(next_one) == position_of(position) + 1
    assert await take(follower, 1) == [next_one]


# --- a real installation ------------------------------------------------------------------------


@pytest.mark.skipif(not ON_SERVICES, reason="The embedded worker cannot stop by itself")
def test_a_killed_worker_and_its_return_are_published(tmp_path: Path) -> None:
    installation = Installation(tmp_path)
    installation.environment["FINESSE_HEARTBEAT_SECONDS"] = "2"
    try:
        installation.start()
        with watch(installation.url, "1234") as ana:
            ana.subscribe()
            for act, status in (
                (lambda: installation.kill("worker"), OUT),
                (installation.start, IN),
            ):
                act()
                frame = ana.receive(30)
                assert (frame["node"], frame["event"]) == (SYSTEM_INFO, "PUT")
                info = fromstring(frame["update"]).find("data/systemInfo")
                assert info is not None
                assert info.findtext("status") == status
    finally:
        installation.end()


def test_the_cast_gets_the_service_notifications(cast: Cast) -> None:
    readers = readers_of(["alice", "bob", "carol", "dave"])
    assert all(reader.may_see(SYSTEM_INFO) for reader in readers.values())
