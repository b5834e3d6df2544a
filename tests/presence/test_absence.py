"""A user without a client for too long is signed out by the system, once, and no other user is."""

import asyncio
import queue
import threading
import time as clock
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from channels.db import database_sync_to_async
from django.conf import settings as settings_of_the_product
from django.core.cache import cache
from django.core.checks import run_checks
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from slixmpp.jid import JID

from finesse import heartbeat
from finesse.notifications.follower import Follower
from finesse.notifications.hub import Hub
from finesse.notifications.models import Notification
from finesse.notifications.readers import readers_of
from finesse.presence import stamps
from finesse.presence.models import Watched
from finesse.xmpp.client_session import ClientSession
from media import absence, tasks
from media.models import Desktop, Media, MediaRequest, StateInterval
from media.writing.writer import Applied
from tests.conftest import API, LOGIN, Cast, empty_the_cache, outcomes, update_of

SECONDS = 60
DESKTOP_LOGIN = "<User><state>LOGIN</state><extension>1001</extension></User>"


class Time:
    """The monotonic clock of the one worker, in a test's hands."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def sweep(self, seconds: int = 1) -> None:
        """Let the sweep run once a second; those between the first and the last do no more than
        they are here for."""
        for second in range(1, seconds + 1):
            self.now += 1
            (tasks.sweep if second in {1, seconds} else absence.sign_out_absent)()


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch, settings: Any) -> Time:
    settings.FINESSE_PRESENCE_SECONDS = SECONDS
    made = Time()
    monkeypatch.setattr(stamps, "clock", lambda: made.now)
    monkeypatch.setattr(stamps, "_sweeps_time", stamps._SweepsTime())
    monkeypatch.setattr(stamps, "_stamped_at", {})
    # Stamped at once, except in the test of this delay: the clock does not advance by itself.
    monkeypatch.setattr(stamps, "_stamp_soon", lambda login_id: stamps.stamp([login_id]))
    monkeypatch.setattr(stamps, "LATEST_STAMP_SECONDS", 0)
    return made


@pytest.fixture
def running(cast: Cast, own_layer: None, time: Time, api: API) -> Time:
    """The sweep has run, as it does before anybody can be served."""
    time.sweep(2)
    return time


@pytest.fixture
def signed_in(running: Time, api: API) -> Time:
    """alice, in both of her MRDs and at the desktop, with an XMPP client that has just gone."""
    stamps.watch("alice")
    for mrd in (5000, 5001):
        api.put(LOGIN, mrd=mrd)
    api.state("READY")
    api.request("PUT", "User/alice", DESKTOP_LOGIN)
    running.sweep()
    stamps.stamp(["alice"])
    return running


def since(time: Time, started: float) -> float:
    return time.now - started


def states(user: str = "alice") -> list[str]:
    media = Media.objects.filter(user=user).order_by("mrd").values_list("state", flat=True)
    return [*media, *Desktop.objects.filter(user=user).values_list("state", flat=True)]


def is_signed_in(user: str = "alice") -> bool:
    return any(state != "LOGOUT" for state in states(user))


def forced() -> list[tuple[str, int | None]]:
    requests = MediaRequest.objects.filter(requested="FORCED_LOGOUT").order_by("id")
    return list(requests.values_list("login_id", "mrd_id"))


def seen(login_id: str = "alice") -> int | None:
    return cache.get(f"alive:{login_id}")


class TestSigningOut:
    def test_it_comes_after_the_setting_and_not_before(self, signed_in: Time) -> None:
        signed_in.sweep(SECONDS - 1)
        assert states() == ["NOT_READY", "READY", "NOT_READY"]
        signed_in.sweep()
        assert states() == ["LOGOUT"] * 3
        assert forced() == [("alice", 5000), ("alice", 5001), ("alice", None)]
        assert not Watched.objects.exists()

    def test_the_history_knows_the_systems_reason_and_cause(self, signed_in: Time) -> None:
        signed_in.sweep(SECONDS)
        requests = MediaRequest.objects.filter(requested="FORCED_LOGOUT")
        for request in requests:
            assert request.reason_code is not None
            assert (request.reason_code.category, request.reason_code.code) == ("LOGOUT", 255)
            assert (request.cause, request.actor, request.outcome) == ("system", "", "changed")
        intervals = StateInterval.objects.filter(login_id="alice", ended_at=None)
        assert list(intervals.order_by("mrd_id").values_list("mrd_id", "state", "code")) == [
            (mrd, "LOGOUT", 255) for mrd in (1, 5000, 5001)
        ]
        assert set(intervals.values_list("label", "cause", "actor")) == {
            ("Logged Out - Connection Failure", "system", "")
        }

    def test_it_is_published_like_any_sign_out(self, signed_in: Time) -> None:
        before = Notification.objects.count()
        signed_in.sweep(SECONDS)
        published = {
            one.source: update_of(one)
            for one in Notification.objects.filter(position__gt=before)
            if "/Team/" not in one.node
        }
        assert list(published) == [
            "/finesse/api/User/alice/Media/5000",
            "/finesse/api/User/alice/Media/5001",
            "/finesse/api/User/alice",
        ]
        for mrd in (5000, 5001):
            update = published[f"/finesse/api/User/alice/Media/{mrd}"]
            assert update.findtext("event") == "PUT"
            assert update.findtext("requestId") == ""
            assert update.findtext("data/Media/state") == "LOGOUT"
            # As after every sign-out; the reason is the history's.
            assert update.findtext("data/Media/reasonCodeId") == "-1"
        assert published["/finesse/api/User/alice"].findtext("data/user/state") == "LOGOUT"

    def test_the_admin_shows_its_actor_and_its_cause(self, signed_in: Time, cast: Cast) -> None:
        signed_in.sweep(SECONDS)
        client = Client()
        client.force_login(cast.dave)
        page = client.get("/admin/media/stateinterval/?state=LOGOUT").content.decode()
        assert page.count('<td class="field-by">the system</td>') == 3
        assert page.count("Logged Out - Connection Failure") >= 3

    @pytest.mark.parametrize("channel", ["1", "2", "a"])
    def test_it_is_of_everything_and_once_whatever_a_desktops_sign_out_takes_along(
        self, signed_in: Time, settings: Any, channel: str
    ) -> None:
        settings.FINESSE_USER_SIGNOUT_CHANNEL = channel
        signed_in.sweep(SECONDS)
        assert states() == ["LOGOUT"] * 3
        assert len(forced()) == 3

    def test_one_absence_ends_in_one_sign_out(self, signed_in: Time, api: API) -> None:
        signed_in.sweep(2 * SECONDS)
        assert len(forced()) == 3
        # Signing in by the API alone promises nothing: no client has come back.
        api.put(LOGIN)
        signed_in.sweep(2 * SECONDS)
        assert is_signed_in()
        assert len(forced()) == 3

    def test_the_next_absence_ends_in_the_next(self, signed_in: Time, api: API) -> None:
        signed_in.sweep(SECONDS)
        stamps.watch("alice")
        api.put(LOGIN)
        signed_in.sweep(SECONDS)
        assert not is_signed_in()
        assert forced()[3:] == [("alice", 5001)]

    def test_a_signed_out_user_is_left_alone(self, running: Time) -> None:
        stamps.watch("alice")
        running.sweep(SECONDS)
        assert not Watched.objects.exists()
        assert forced() == []

    def test_a_deleted_user_is_forgotten(self, signed_in: Time, cast: Cast) -> None:
        cast.alice.delete()
        signed_out = forced()
        signed_in.sweep(SECONDS)
        assert not Watched.objects.exists()
        assert forced() == signed_out

    def test_many_are_signed_out_in_portions(
        self, running: Time, api: API, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(absence, "USERS_PER_SWEEP", 2)
        for login_id in ("alice", "bob", "carol"):
            stamps.watch(login_id)
        api.put(LOGIN)
        running.sweep(SECONDS)
        left = Watched.objects.count()
        running.sweep()
        assert (left, Watched.objects.count()) == (1, 0)

    def test_a_reason_code_that_could_not_be_made_delays_no_sign_out(self, signed_in: Time) -> None:
        from reasoncodes.models import ReasonCode

        ReasonCode.objects.filter(category="LOGOUT", code=255).delete()
        signed_in.sweep(SECONDS)
        assert not is_signed_in()


class TestStaying:
    def test_a_program_that_only_calls_the_api_is_never_missed(
        self, running: Time, api: API
    ) -> None:
        api.put(LOGIN)
        running.sweep(3 * SECONDS)
        assert is_signed_in()
        assert forced() == []

    @pytest.mark.parametrize("method", ["GET", "PUT"])
    def test_a_call_of_the_api_is_a_sign_of_life(
        self, signed_in: Time, api: API, method: str
    ) -> None:
        for _ in range(3):
            signed_in.sweep(SECONDS - 1)
            body = "<Media><state>READY</state></Media>" if method == "PUT" else ""
            assert api.request(method, "User/alice/Media/5001", body).status_code < 300
        signed_in.sweep(SECONDS - 1)
        assert is_signed_in()
        signed_in.sweep()
        assert not is_signed_in()

    def test_a_wrong_password_is_none(self, signed_in: Time, api: API) -> None:
        signed_in.sweep(SECONDS - 1)
        assert api.get(password="wrong").status_code == 401
        signed_in.sweep()
        assert not is_signed_in()

    def test_nor_is_a_call_about_the_user(self, signed_in: Time, api: API) -> None:
        signed_in.sweep(SECONDS - 1)
        assert api.request("GET", "User/alice", login="carol").status_code == 200
        signed_in.sweep()
        assert not is_signed_in()

    def test_a_client_that_comes_back_is_watched_anew(self, signed_in: Time) -> None:
        signed_in.sweep(SECONDS - 1)
        stamps.watch("alice")
        signed_in.sweep(SECONDS - 1)
        assert is_signed_in()
        signed_in.sweep()
        assert not is_signed_in()

    def test_a_client_that_comes_back_at_the_last_moment_stays(
        self, signed_in: Time, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """After the look that found it absent, before the transaction that would sign it out."""
        real = stamps.look

        def look_then_come_back() -> tuple[int, list[str]]:
            found = real()
            if found[1]:
                monkeypatch.setattr(stamps, "look", real)
                stamps.watch("alice")
            return found

        monkeypatch.setattr(stamps, "look", look_then_come_back)
        signed_in.sweep(SECONDS)
        assert stamps.look is real
        assert is_signed_in()
        assert forced() == []
        assert Watched.objects.filter(pk="alice").exists()

    def test_what_waits_for_the_writer_is_seen_before_anybody_is_signed_out(
        self, running: Time, api: API, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        stamps.watch("alice")
        running.sweep(SECONDS - 1)
        # Another worker has it in hand: a sign-in that the states do not show yet.
        with monkeypatch.context() as busy:
            busy.setattr(tasks, "apply_batch", lambda: Applied(0, is_more=False))
            busy.setattr(stamps, "heard", lambda login_id: None)
            api.put(LOGIN)
            running.sweep()
            assert Watched.objects.exists()
        running.sweep()
        assert outcomes() == [("LOGIN", "changed", ""), ("FORCED_LOGOUT", "changed", "")]
        assert not is_signed_in()

    def test_off_means_that_nothing_happens_at_all(
        self,
        running: Time,
        api: API,
        settings: Any,
        django_assert_num_queries: Callable[..., Any],
    ) -> None:
        settings.FINESSE_PRESENCE_SECONDS = 0
        empty_the_cache(settings)
        with django_assert_num_queries(0):
            stamps.watch("alice")
            stamps.heard("alice")
            stamps.stamp(["alice"])
            assert absence.sign_out_absent() is False
        assert cache.get_many([stamps.NOW_KEY, stamps.DUE_KEY, "alive:alice"]) == {}
        assert not Watched.objects.exists()


class TestOutages:
    def test_a_pause_of_the_sweep_gives_all_users_the_whole_time_again(
        self, signed_in: Time
    ) -> None:
        signed_in.sweep(SECONDS - 5)
        signed_in.now += SECONDS
        signed_in.sweep(SECONDS)
        assert is_signed_in()
        signed_in.sweep()
        assert not is_signed_in()

    def test_a_short_one_does_not(self, signed_in: Time) -> None:
        signed_in.sweep(SECONDS - 20)
        signed_in.now += 19
        assert is_signed_in()
        signed_in.sweep()
        assert not is_signed_in()

    def test_nor_does_it_sign_out_a_user_with_a_client(self, signed_in: Time) -> None:
        """The longest pause that is ignored, at its worst moment: when it begins, stamps are as
        old as the interval, and no process could renew them."""
        signed_in.sweep(int(stamps.interval()))
        signed_in.now += SECONDS / 2 - 1
        for _ in range(5 * SECONDS):
            signed_in.sweep()
            if int(signed_in.now) % stamps.interval() == 0:
                stamps.stamp(["alice"])
        assert is_signed_in()

    def test_a_cache_that_came_back_empty_does(self, signed_in: Time, settings: Any) -> None:
        signed_in.sweep(SECONDS - 1)
        empty_the_cache(settings)
        signed_in.sweep(SECONDS)
        assert is_signed_in()
        signed_in.sweep()
        assert not is_signed_in()

    def test_a_stamp_that_was_lost_counts_from_when_it_was_missed(self, signed_in: Time) -> None:
        signed_in.sweep(SECONDS - 1)
        cache.delete("alive:alice")
        signed_in.sweep(SECONDS)
        assert is_signed_in()
        signed_in.sweep()
        assert not is_signed_in()

    def test_a_user_whose_sign_out_is_lost_stays_signed_in(
        self, signed_in: Time, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        real = stamps.look

        def look_then_lose() -> tuple[int, list[str]]:
            found = real()
            if found[1]:
                cache.delete("alive:alice")
            return found

        monkeypatch.setattr(stamps, "look", look_then_lose)
        signed_in.sweep(SECONDS)
        assert is_signed_in()

    def test_no_user_is_absent_while_the_service_is_out_of_service(
        self, signed_in: Time, api: API, settings: Any
    ) -> None:
        """Clients can reach nothing then; afterwards they have the time to come back."""
        signed_in.sweep(SECONDS - 5)
        settings.FINESSE_XMPP_SECRET = "there is an XMPP server, and it is down"
        signed_in.sweep(3)
        assert api.get().status_code == 503
        heartbeat.stamp(heartbeat.XMPP)
        signed_in.sweep(SECONDS)
        assert is_signed_in()
        signed_in.sweep()
        assert not is_signed_in()

    @pytest.mark.parametrize("jump", [-3600, -10, 10, 3600])
    def test_a_time_of_day_that_is_set_changes_nothing(
        self, signed_in: Time, monkeypatch: pytest.MonkeyPatch, jump: int
    ) -> None:
        """The cache's own clock is set, too, where the cache is in this process."""
        real = clock.time
        signed_in.sweep(SECONDS // 2)
        monkeypatch.setattr(clock, "time", lambda: real() + jump)
        in_the_cache_of_this_process = jump == 3600 and not settings_of_the_product.REDIS_URL
        signed_in.sweep(SECONDS // 2 - 1)
        assert is_signed_in()
        # What the cache has lost by that begins anew.
        signed_in.sweep(1 + in_the_cache_of_this_process * SECONDS)
        assert not is_signed_in()

    @pytest.mark.parametrize("ahead", [-1e6, -4, 4, 1e6])
    def test_two_workers_whose_clocks_differ_agree(
        self, signed_in: Time, monkeypatch: pytest.MonkeyPatch, ahead: float
    ) -> None:
        theirs = stamps._SweepsTime()
        for _ in range(SECONDS + 5):
            signed_in.sweep()
            with monkeypatch.context() as other:
                other.setattr(stamps, "clock", lambda: signed_in.now + ahead)
                other.setattr(stamps, "_sweeps_time", theirs)
                tasks.sweep()
        assert not is_signed_in()
        assert len(forced()) == 3

    def test_workers_that_come_and_go_keep_the_time(
        self, signed_in: Time, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """On machines that were started at other times."""
        for started in range(2 * SECONDS // 5):
            with monkeypatch.context() as new:
                new.setattr(stamps, "clock", partial(since, signed_in, 10_000 * started))
                new.setattr(stamps, "_sweeps_time", stamps._SweepsTime())
                # The first of them finds out what it is, the others move it on.
                signed_in.sweep(5)
        assert not is_signed_in()
        assert len(forced()) == 3

    @pytest.mark.parametrize("wrong_by", [-3600, 3600])
    def test_the_clock_of_a_server_does_not_matter(
        self, signed_in: Time, api: API, wrong_by: int
    ) -> None:
        signed_in.sweep(SECONDS - 1)
        signed_in.now += wrong_by
        assert api.get().status_code == 200
        stamps.stamp(["bob"])
        signed_in.now -= wrong_by
        assert seen("alice") == seen("bob") == int(signed_in.now * 1000)
        signed_in.sweep(SECONDS - 1)
        assert is_signed_in()
        signed_in.sweep()
        assert not is_signed_in()

    def test_a_shorter_setting_holds_at_once(self, signed_in: Time, settings: Any) -> None:
        settings.FINESSE_PRESENCE_SECONDS = 3600
        signed_in.sweep(3)
        stamps.stamp(["alice"])
        cache.set(stamps.DUE_KEY, int(signed_in.now + 3600) * 1000, timeout=None)
        settings.FINESSE_PRESENCE_SECONDS = SECONDS
        signed_in.sweep(SECONDS)
        assert not is_signed_in()

    def test_a_sweep_that_is_killed_leaves_nothing_half_done(
        self, signed_in: Time, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        class KilledError(BaseException):
            pass

        def die(login_ids: Any) -> None:
            raise KilledError

        with monkeypatch.context() as killed:
            killed.setattr(stamps, "forget", die)
            with pytest.raises(KilledError):
                signed_in.sweep(SECONDS)
        assert forced() == []
        assert Watched.objects.filter(pk="alice").exists()
        signed_in.sweep()
        assert len(forced()) == 3

    def test_what_was_accepted_is_applied_though_the_look_fails(
        self, running: Time, api: API, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def away() -> None:
            raise DatabaseError("away")

        api.put(LOGIN)
        monkeypatch.setattr(stamps, "look", away)
        with pytest.raises(DatabaseError):
            running.sweep()
        assert is_signed_in()

    def test_a_stamp_that_fails_fails_no_request(
        self, running: Time, api: API, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def away(*args: Any, **options: Any) -> None:
            raise ConnectionError("away")

        monkeypatch.setattr(stamps, "_write", away)
        assert api.get().status_code == 200


class TestCost:
    def test_a_process_stamps_a_caller_once_in_a_while(
        self, running: Time, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        stamped: list[Any] = []
        monkeypatch.setattr(stamps, "stamp", stamped.append)
        for _ in range(100):
            stamps.heard("alice")
            stamps.heard("bob")
        assert stamped == [["alice"], ["bob"]]
        running.now += stamps.interval() / 2
        stamps.heard("alice")
        assert stamped[2:] == [["alice"]]

    def test_callers_are_stamped_soon_and_together(self, monkeypatch: pytest.MonkeyPatch) -> None:
        stamped: queue.Queue[set[str]] = queue.Queue()
        monkeypatch.setattr(stamps, "is_on", lambda: True)
        monkeypatch.setattr(stamps, "interval", lambda: 10.0)
        monkeypatch.setattr(stamps, "stamp", stamped.put)
        monkeypatch.setattr(stamps, "GATHERING_SECONDS", 0.2)
        monkeypatch.setattr(stamps, "_stamped_at", {})
        callers = {f"user{number}" for number in range(50)}
        for _ in range(2):
            for caller in callers:
                stamps.heard(caller)
            seen, times = set[str](), 0
            while seen != callers:
                seen |= stamped.get(timeout=30)
                times += 1
            # All at once, where the machine does not stand still.
            assert times < 10
            stamps._stamped_at.clear()

    def test_without_another_thread_a_caller_is_stamped_at_once(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def exhausted(process: int) -> None:
            raise RuntimeError("can't start new thread")

        stamped: list[Any] = []
        monkeypatch.setattr(stamps, "is_on", lambda: True)
        monkeypatch.setattr(stamps, "interval", lambda: 10.0)
        monkeypatch.setattr(stamps, "_start_stamping", exhausted)
        monkeypatch.setattr(stamps, "stamp", stamped.append)
        monkeypatch.setattr(stamps, "_stamped_at", {})
        stamps.heard("alice")
        assert stamped == [["alice"]]

    def test_a_user_whose_stamp_may_be_late_is_not_absent_yet(
        self, running: Time, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(stamps, "LATEST_STAMP_SECONDS", 3.0)
        now = int(running.now * 1000)
        seen = {"gone": now - 63_000, "perhaps": now - 62_999}
        assert stamps._absent(seen, now) == ["gone"]

    def test_what_it_remembers_of_callers_is_bounded(
        self, running: Time, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(stamps, "CALLERS_REMEMBERED", 10)
        for number in range(35):
            stamps.heard(f"user{number}")
        assert len(stamps._stamped_at) <= 10

    @pytest.mark.parametrize("gone", [False, True])
    def test_500_watched_cost_as_many_queries_as_one(self, signed_in: Time, gone: bool) -> None:
        def a_look() -> int:
            signed_in.now += 1 if gone else 0
            stamps.stamp([*others])
            if not gone:
                stamps.stamp(["alice"])
            cache.delete(stamps.DUE_KEY)
            with CaptureQueriesContext(connection) as queries:
                assert absence.sign_out_absent() is gone
            return len(queries)

        others: list[str] = []
        stamps.watch("alice")
        signed_in.sweep(SECONDS - 1)
        one = a_look()
        if gone:
            MediaRequest.objects.filter(outcome=None).delete()
        others = [f"user{number}" for number in range(499)]
        Watched.objects.bulk_create(Watched(login_id=login_id) for login_id in others)
        Watched.objects.bulk_create([Watched(login_id="alice")], ignore_conflicts=True)
        assert a_look() == one
        assert Watched.objects.count() == 499 + (not gone)

    def test_most_looks_read_no_table(
        self, signed_in: Time, django_assert_num_queries: Callable[..., Any]
    ) -> None:
        signed_in.sweep(SECONDS - 10)
        stamps.stamp(["alice"])
        signed_in.sweep(10)
        for _ in range(SECONDS - 11):
            signed_in.now += 1
            with django_assert_num_queries(0):
                absence.sign_out_absent()
        signed_in.sweep()
        assert not is_signed_in()

    def test_a_setting_that_is_too_short_is_reported_at_start(self, settings: Any) -> None:
        settings.FINESSE_PRESENCE_SECONDS = 9
        (message,) = run_checks()
        assert (message.id, bool(message.hint)) == ("finesse.W002", True)


def in_threads(*actions: Callable[[], object]) -> list[BaseException]:
    """Run them at once; what they raised."""
    errors: list[BaseException] = []

    def run(action: Callable[[], object]) -> None:
        try:
            action()
        except BaseException as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[action]) for action in actions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    return errors


@pytest.mark.django_db(transaction=True)
class TestAtOnce:
    def test_two_sweeps_that_find_the_same_absence_end_it_once(
        self, signed_in: Time, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        stamps.watch("bob")
        signed_in.sweep(SECONDS - 1)
        signed_in.now += 1
        both_have_looked = threading.Barrier(2)
        real = stamps.look
        looks: list[list[str]] = []

        def look_together() -> tuple[int, list[str]]:
            found = real()
            looks.append(found[1])
            both_have_looked.wait(60)
            return found

        monkeypatch.setattr(stamps, "look", look_together)
        assert in_threads(absence.sign_out_absent, absence.sign_out_absent) == []
        assert looks == [["alice", "bob"]] * 2
        assert len(forced()) == 3
        assert not Watched.objects.exists()

    def test_a_client_that_comes_while_it_is_signed_out_is_watched_again(
        self, signed_in: Time
    ) -> None:
        taken, comes = threading.Event(), threading.Event()

        def sign_out() -> None:
            with transaction.atomic():
                stamps.forget(["alice"])
                taken.set()
                assert comes.wait(60)
                # It cannot say that it waits for the row: give it the time to.
                threading.Event().wait(0.3)

        def come_back() -> None:
            assert taken.wait(60)
            comes.set()
            stamps.watch("alice")

        assert in_threads(sign_out, come_back) == []
        assert Watched.objects.filter(pk="alice").exists()


# --- sockets ------------------------------------------------------------------------------------


@pytest.fixture
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stamps, "interval", lambda: 0.02)


@pytest.fixture
async def hub(cast: Cast, server_loop: None, time: Time) -> AsyncIterator[Hub]:
    await tick(time)
    running = await Hub.running()
    yield running
    assert running._task is not None
    running._task.cancel()
    await asyncio.gather(running._task, return_exceptions=True)


@sync_to_async
def tick(time: Time, seconds: float = 1) -> int:
    """Advance the sweep's time; returns the new time."""
    time.now += seconds
    stamps.look()
    return int(time.now * 1000)


async def follow(hub: Hub, login_id: str) -> Follower:
    readers = await database_sync_to_async(readers_of)([login_id])
    _, _, follower = await hub.subscribe(readers[login_id], None)
    return follower


async def until_seen(login_id: str, at: int) -> None:
    async with asyncio.timeout(30):
        while await sync_to_async(seen)(login_id) != at:
            await asyncio.sleep(0.01)


async def rounds(hub: Hub) -> None:
    """Wait until the hub has stamped all connected users, and begins the next round."""
    attendance = hub._attendance
    real, begun = attendance._present, 0
    again = asyncio.Event()

    def present() -> set[str]:
        nonlocal begun
        begun += 1
        if begun == 2:
            again.set()
        return real()

    attendance._present = present
    async with asyncio.timeout(30):
        await again.wait()
    attendance._present = real


@pytest.mark.django_db(transaction=True)
class TestSockets:
    async def test_coming_and_going_are_signs_of_life(self, hub: Hub, time: Time) -> None:
        came = await tick(time)
        alice = await follow(hub, "alice")
        await until_seen("alice", came)
        left = await tick(time)
        hub.leave(alice)
        await until_seen("alice", left)

    @pytest.mark.usefixtures("often")
    async def test_connected_users_are_stamped_now_and_then(self, hub: Hub, time: Time) -> None:
        first, second = await follow(hub, "alice"), await follow(hub, "alice")
        hub.leave(await follow(hub, "bob"))
        await until_seen("bob", await tick(time, 0))
        for leaving in (first, second):
            at = await tick(time)
            await until_seen("alice", at)
            assert await sync_to_async(seen)("bob") != at
            hub.leave(leaving)
            await rounds(hub)
        gone = await tick(time)
        await rounds(hub)
        assert await sync_to_async(seen)("alice") != gone

    @pytest.mark.usefixtures("often")
    async def test_a_client_that_says_it_is_away_counts_as_gone_from_then(
        self, hub: Hub, time: Time
    ) -> None:
        alice = await follow(hub, "alice")
        said = await tick(time)
        alice.present = False
        await until_seen("alice", said)
        # The stamp may be one of before it went away: the next round stamps that it is away.
        await rounds(hub)
        later = await tick(time)
        await rounds(hub)
        # Closing the connection of a client that is away is no sign of life either.
        hub.leave(alice)
        await rounds(hub)
        assert await sync_to_async(seen)("alice") != later

    async def test_a_change_of_teams_is_no_sign_of_life(
        self, hub: Hub, cast: Cast, time: Time
    ) -> None:
        await follow(hub, "carol")
        await until_seen("carol", await tick(time, 0))
        later = await tick(time)
        await database_sync_to_async(cast.bob.delete)()
        await hub._catch_up()
        hub.leave(await follow(hub, "dave"))
        await until_seen("dave", later)
        assert await sync_to_async(seen)("carol") != later

    async def test_nothing_is_stamped_when_it_is_off(
        self, cast: Cast, server_loop: None, settings: Any
    ) -> None:
        assert settings.FINESSE_PRESENCE_SECONDS == 0
        hub = await Hub.running()
        hub.leave(await follow(hub, "alice"))
        assert hub._attendance._noted == set()
        assert hub._task is not None
        hub._task.cancel()
        await asyncio.gather(hub._task, return_exceptions=True)

    async def test_an_xmpp_client_is_watched_from_its_presence_on(
        self, hub: Hub, time: Time
    ) -> None:
        async def ignore(*args: Any) -> None: ...

        readers = await database_sync_to_async(readers_of)(["alice"])
        session = ClientSession(JID("alice@localhost/desk"), readers["alice"], ignore, ignore)
        await session.open()
        assert not await exists("alice")
        came = await tick(time)
        await session.set_priority(0)
        assert await exists("alice")
        await until_seen("alice", came)
        # Below zero it gets nothing, but it is there.
        await session.set_priority(-1)
        assert hub._present() == {"alice"}
        went = await tick(time)
        await session.set_priority(None)
        await until_seen("alice", went)
        assert hub._present() == set()
        session.close()


def exists(login_id: str) -> Awaitable[bool]:
    return database_sync_to_async(Watched.objects.filter(pk=login_id).exists)()
