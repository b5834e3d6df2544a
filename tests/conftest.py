"""The fixtures that tests of every room share."""

import asyncio
import base64
import os
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

import hypothesis
import pytest
from asgiref.sync import sync_to_async
from defusedxml.ElementTree import fromstring
from django.conf import settings
from django.core.cache import cache
from django.db import connections
from django.test import Client, TransactionTestCase
from django.test.client import ClientHandler
from kombu import Connection

from finesse import heartbeat, service_watch
from finesse.notifications import socket_auth
from finesse.notifications.hub import Hub
from finesse.notifications.models import Notification
from finesse.notifications.transports import channels
from finesse.server.handlers import Handler
from finesse.users import lockout, remembered, sign_in_threads
from media.models import MediaRequest
from media.writing import bell, writer
from reasoncodes.models import ReasonCode
from tests.kit import cast as cast_of_tests
from tests.kit import database, installation
from tests.kit.cast import PASSWORD, Cast
from tests.kit.database import Kept

pytest_plugins = ["tests.kit.browsers"]

# The conformance kit knows no server but by its address: installation/test_conformance.py runs it
# as a program.
collect_ignore = ["conformance"]
TESTS = Path(__file__).parent

LOGIN = (
    "<Media><state>LOGIN</state><maxDialogLimit>5</maxDialogLimit>"
    "<interruptAction>ACCEPT</interruptAction></Media>"
)


# A busy machine makes any example slow, and the drawing of them.
hypothesis.settings.register_profile(
    "patient", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("patient")

LONGEST = (
    "production/test_production.py",
    "upgrades/test_upgrades.py",
    "xmpp/test_kill.py",
    "installation/test_conformance.py",
    "board/test_browser.py",
    "board/test_live_board_in_browser.py",
    "installation/test_standstill.py",
    "installation/test_workers.py",
    "supervision/test_browser.py",
    "supervision/test_at_once.py",
    "docs/test_description.py",
    "xmpp/test_clients.py",
    "installation/test_demo.py",
    "xmpp/test_component.py",
    "installation/test_set_ups.py",
    "installation/test_installation.py",
    "admin/test_access.py",
    "admin/test_odd_addresses.py",
    "api/test_manners.py",
    "installation/test_private_data.py",
    "tls/test_tls.py",
    "installation/test_secrets.py",
    "installation/test_burst.py",
    "installation/test_restore.py",
    "docs/test_schema.py",
    "api/test_fuzz.py",
    "xmpp/test_socket.py",
)
"""Files whose tests take longest. They start first, so that none is left for the end."""

LINES_OF_A_FAILURE = 30
"""As many of its last lines the end of `make test` repeats."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    def turn(item: pytest.Item) -> int:
        name = item.path.relative_to(TESTS).as_posix()
        return LONGEST.index(name) if name in LONGEST else len(LONGEST)

    items.sort(key=turn)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """What failed, as it fails and for the end of `make test`: of a log that is cut the end
    remains."""
    kept = os.environ.get("FINESSE_TESTS_FAILED")
    if kept and report.failed and "PYTEST_XDIST_WORKER" not in os.environ:
        last_lines = report.longreprtext.splitlines()[-LINES_OF_A_FAILURE:]
        with Path(kept).open("a") as file:
            file.write("\n".join([f"-- {report.nodeid} ({report.when})", *last_lines, ""]))


def pytest_sessionfinish() -> None:
    """Bells that rang in this process have made a queue on the broker, if that is a real one."""
    if not settings.CELERY_BROKER_URL.startswith("memory:"):
        with Connection(settings.CELERY_BROKER_URL) as broker:
            broker.default_channel.queue_delete(settings.CELERY_TASK_DEFAULT_QUEUE)
    if "PYTEST_XDIST_WORKER" not in os.environ:
        installation.remove_template()


def empty_the_cache(settings: Any) -> None:
    """For this test alone: `cache.clear()` would empty a Redis that others share, and their tests
    would find the service out of service."""
    prefixed = {**settings.CACHES["default"], "KEY_PREFIX": uuid.uuid4().hex}
    settings.CACHES = {"default": prefixed}


@pytest.fixture(autouse=True)
def cache_of_its_own(settings: Any) -> None:
    """Nothing that another test remembered, nothing of anybody else on a shared Redis: in every
    thread, since each has a cache object of its own."""
    empty_the_cache(settings)
    remembered._until.clear()
    lockout._unchecked.clear()


@pytest.fixture(autouse=True)
def no_glances(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test breaks is broken with its next request."""
    monkeypatch.setattr(heartbeat, "IN_SERVICE_CACHE_SECONDS", 0.0)
    monkeypatch.setattr(service_watch, "start", lambda: None)


@pytest.fixture(autouse=True)
def patient_handshakes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looking up who opens a socket may take longer than promised on a busy machine."""
    monkeypatch.setattr(socket_auth, "HANDSHAKE_SECONDS", 60)


@pytest.fixture
def in_service(cache_of_its_own: None) -> None:
    """As if the sweep had just run."""
    for part in heartbeat.PARTS:
        heartbeat.stamp(part)


def silence(part: str, *, last_beat: float | None = None) -> None:
    """As if `part` had not worked for longer than it may, since a time of day if one is given."""
    cache.delete(f"stamp:{part}")
    if last_beat is not None:
        cache.set(f"heartbeat:{part}", last_beat, timeout=None)


@pytest.fixture(scope="session")
def kept_database(django_db_setup: None, django_db_blocker: Any) -> Kept:
    with django_db_blocker.unblock():
        return database.keep(cast_of_tests.create, cast_of_tests.create_codes)


@pytest.fixture(scope="session", autouse=True)
def quick_teardown(request: pytest.FixtureRequest) -> Iterator[None]:
    """After a test with transactions only what it filled is emptied, and no permission made anew.

    Django's `flush` truncates every table and runs `post_migrate`: longer than most of the tests.
    """

    def restore(case: TransactionTestCase) -> None:
        database.empty_and_write(request.getfixturevalue("kept_database").installed)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", restore)
        yield


@pytest.fixture
def cast(db: None, kept_database: Kept) -> Cast:
    database.empty_and_write(kept_database.cast)
    return cast_of_tests.read()


@pytest.fixture
def given_ids(db: None) -> Iterator[None]:
    """For a test that loads the demo."""
    yield
    cast_of_tests.skip_ids()


@pytest.fixture
def codes(cast: Cast, kept_database: Kept) -> dict[str, ReasonCode]:
    """Lunch and End of shift for all teams, Coaching for Chat, Filing for Back office."""
    database.empty_and_write(kept_database.codes)
    return {code.label: code for code in ReasonCode.objects.filter(system_code=False)}


def basic(login_id: str, password: str = PASSWORD) -> str:
    return "Basic " + base64.b64encode(f"{login_id}:{password}".encode()).decode()


class ServedHandler(Handler, ClientHandler):
    """The test client's, with the API's own chain of middlewares."""


@lru_cache
def served_handler(*middlewares: tuple[str, ...]) -> ServedHandler:
    """One for all tests with the same middlewares: WhiteNoise looks at every static file anew."""
    handler = ServedHandler(enforce_csrf_checks=False)
    handler.load_middleware()
    return handler


class API:
    """Requests as alice unless another user is given."""

    def __init__(self) -> None:
        # A 500 must be seen as the client sees it.
        self.client = Client(raise_request_exception=False)
        self.client.handler = served_handler(
            tuple(settings.MIDDLEWARE), tuple(settings.FINESSE_API_MIDDLEWARE)
        )

    def request(
        self,
        method: str,
        path: str,
        body: str | bytes = "",
        *,
        login: str | None = "alice",
        password: str = PASSWORD,
        content_type: str = "Application/XML",
        origin: str = "127.0.0.1",
        **headers: str,
    ) -> Any:
        if login is not None:
            headers["Authorization"] = basic(login, password)
        return self.client.generic(
            method,
            f"/finesse/api/{path}",
            body,
            content_type,
            headers=headers,
            REMOTE_ADDR=origin,
        )

    def put(
        self, body: str | bytes, *, user: str = "alice", mrd: Any = 5001, **options: Any
    ) -> Any:
        return self.request("PUT", f"User/{user}/Media/{mrd}", body, **options)

    def get(self, *, user: str = "alice", mrd: Any = 5001, **options: Any) -> Any:
        return self.request("GET", f"User/{user}/Media/{mrd}", **options)

    def state(self, state: str, reason_code: Any = None, **options: Any) -> Any:
        reason = f"<reasonCodeId>{reason_code}</reasonCodeId>" if reason_code else ""
        return self.put(f"<Media><state>{state}</state>{reason}</Media>", **options)


@pytest.fixture
def api(in_service: None) -> API:
    return API()


@pytest.fixture
def settle() -> Callable[[], list[Notification]]:
    """Apply all accepted requests; returns the notifications since the last call."""
    published = 0

    def apply() -> list[Notification]:
        nonlocal published
        while writer.apply_pending():
            pass
        new = list(Notification.objects.filter(position__gt=published).order_by("position"))
        published = new[-1].position if new else published
        return new

    return apply


def outcomes() -> list[tuple[str, str | None, str]]:
    """What became of each request, in their order."""
    return list(MediaRequest.objects.order_by("id").values_list("requested", "outcome", "error"))


def error_of(response: Any) -> dict[str, str]:
    """The one error of a response, by element."""
    root = fromstring(response.content)
    assert root.tag == "ApiErrors"
    (error,) = root
    assert error.tag == "ApiError"
    return {child.tag: child.text or "" for child in error}


def update_of(notification: Notification) -> Element:
    root = fromstring(notification.update)
    assert root.tag == "Update"
    return root


@pytest.fixture(autouse=True)
def bell_of_the_request(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bell has rung when the answer comes, and no thread rings in a later test.
    tests/media/test_bell.py is about the thread."""
    monkeypatch.setattr(bell, "ring_soon", lambda: bell.ring())


@pytest.fixture
def own_layer(settings: Any) -> None:
    """Publish to a layer without listeners, with and without real services."""
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}


@pytest.fixture
async def server_loop(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    """Publishing from threads reaches this test's event loop, as in the embedded default."""
    loop = asyncio.get_running_loop()
    # One thread, so that its database connection can be closed: the communicators of
    # channels.testing keep it open.
    one_thread = ThreadPoolExecutor(max_workers=1)
    loop.set_default_executor(one_thread)
    monkeypatch.setattr(sign_in_threads, "POOL", one_thread)
    # The loop is the test's, too, and may be busy with the test.
    monkeypatch.setattr(channels, "HAND_OVER_TIMEOUT_SECONDS", 60)
    channels.bind_loop(loop)
    yield
    channels.bind_loop(None)
    await loop.run_in_executor(None, connections.close_all)
    await sync_to_async(connections.close_all)()


@pytest.fixture
async def hub(cast: Cast, server_loop: None) -> AsyncIterator[Hub]:
    running = await Hub.running()
    yield running
    assert running._task is not None
    running._task.cancel()
    await asyncio.gather(running._task, return_exceptions=True)
