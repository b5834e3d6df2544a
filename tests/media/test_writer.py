"""Accepted requests: each has one outcome, published with the state or the error."""

import itertools
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from xml.etree.ElementTree import fromstring

import pytest
from django.db import DatabaseError, OperationalError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from finesse.notifications.models import LogHead, Notification
from finesse.users.models import User
from media import tasks
from media.models import Media, MediaRequest, MediaRoutingDomain, StateInterval
from media.writing import batch, writer
from reasoncodes.models import ReasonCode
from tests.conftest import API, LOGIN, Cast, outcomes, update_of

pytestmark = pytest.mark.usefixtures("cast")
Settle = Callable[[], list[Notification]]


@pytest.fixture(autouse=True)
def quiet_start(cast: Cast, settle: Settle) -> None:
    """The cast's own memberships have been published."""
    settle()


def media(user: str = "alice", mrd: int = 5001) -> Media:
    return Media.objects.get(user=user, mrd=mrd)


def error_in(notification: Notification) -> dict[str, str]:
    update = update_of(notification)
    return {child.tag: child.text or "" for child in update.findall("data/apiErrors/apiError/*")}


def test_a_change_is_published_with_the_whole_media_as_get_shows_it(
    api: API, codes: dict[str, ReasonCode], settle: Settle
) -> None:
    api.put(LOGIN)
    settle()
    api.state("NOT_READY", codes["Lunch"].pk, requestId="r-1")
    (published,) = settle()
    assert published.node == "/finesse/api/User/alice/Media"
    assert published.source == "/finesse/api/User/alice/Media/5001"
    update = update_of(published)
    assert [child.tag for child in update] == ["data", "event", "requestId", "source"]
    assert update.findtext("event") == "PUT"
    assert update.findtext("source") == published.source
    (shown,) = update.findall("data/*")
    got = fromstring(api.get().content)
    as_text = [
        [(child.tag, (child.text or "").strip()) for child in one.iter()] for one in (shown, got)
    ]
    assert as_text[0] == as_text[1]
    assert shown.findtext("reasonCodeId") == str(codes["Lunch"].pk)


def test_a_success_does_not_carry_the_request_id(api: API, settle: Settle) -> None:
    api.put(LOGIN, requestId="r-1")
    (published,) = settle()
    assert published.request_id == ""
    assert "<requestId></requestId>" in published.update


def test_a_success_carries_the_request_id_where_the_setting_says_so(
    api: API, settle: Settle, settings: Any
) -> None:
    settings.FINESSE_REQUEST_ID_ON_SUCCESS = True
    api.put(LOGIN, requestId="r-<1>")
    (published,) = settle()
    assert published.request_id == "r-<1>"
    assert update_of(published).findtext("requestId") == "r-<1>"


def test_an_error_carries_the_request_id_and_its_constant(api: API, settle: Settle) -> None:
    api.state("READY", requestId="r-2")
    (published,) = settle()
    assert published.update == (
        "<Update><data><apiErrors><apiError>"
        "<errorData>6</errorData>"
        "<errorMedia>5001</errorMedia>"
        "<errorMessage>E_ARM_STAT_AGENT_NOT_LOGGED_IN</errorMessage>"
        "<errorType>Agent is not logged in</errorType>"
        "</apiError></apiErrors></data>"
        "<event>PUT</event><requestId>r-2</requestId>"
        "<source>/finesse/api/User/alice/Media/5001</source></Update>"
    )
    assert outcomes() == [("READY", "error", "E_ARM_STAT_AGENT_NOT_LOGGED_IN")]


def test_signing_in_again_is_an_error_that_renews_the_options(api: API, settle: Settle) -> None:
    api.put(LOGIN)
    settle()
    api.state("READY")
    settle()
    before = media().state_change_time
    api.put(LOGIN.replace(">5<", ">9<").replace("ACCEPT", "IGNORE"), requestId="again")
    (published,) = settle()
    assert error_in(published) == {
        "errorData": "1",
        "errorMedia": "5001",
        "errorMessage": "E_ARM_STAT_AGENT_ALREADY_LOGGED_IN",
        "errorType": "Agent already logged into MRD",
    }
    now = media()
    assert (now.state, now.state_change_time) == ("READY", before)
    assert (now.max_dialog_limit, now.interrupt_action) == (9, "IGNORE")


@pytest.mark.parametrize(
    ("mrd", "body", "constant", "number"),
    [
        (1, LOGIN, "E_ARM_STAT_CANT_LOGIN_TO_VOICE_MRD", "11"),
        (5002, LOGIN, "E_ARM_STAT_LOGIN_NOT_ALLOWED_FOR_APP_PATH", "27"),
        (5002, "<Media><state>READY</state></Media>", "E_ARM_STAT_AGENT_NOT_LOGGED_IN", "6"),
    ],
)
def test_voice_and_missing_membership_are_published_afterwards(
    api: API, settle: Settle, mrd: int, body: str, constant: str, number: str
) -> None:
    assert api.put(body, mrd=mrd, requestId="r-3").status_code == 202
    (published,) = settle()
    error = error_in(published)
    assert (error["errorMessage"], error["errorData"]) == (constant, number)
    assert error["errorMedia"] == str(mrd)
    assert published.source == f"/finesse/api/User/alice/Media/{mrd}"
    assert update_of(published).findtext("requestId") == "r-3"


def test_a_request_outlives_its_user_and_its_mrd(api: API, cast: Cast, settle: Settle) -> None:
    api.put(LOGIN, requestId="mrd is gone")
    api.put(LOGIN, user="bob", mrd=5002, login="bob", requestId="user is gone")
    MediaRoutingDomain.objects.get(pk=5001).delete()
    cast.bob.delete()
    published = {one.request_id: error_in(one).get("errorMessage") for one in settle()}
    assert published["mrd is gone"] == "E_ARM_STAT_MRD_LIST_ENTRY_NOT_FOUND"
    assert published["user is gone"] == "E_ARM_STAT_AGENT_NOT_FOUND"


def test_ready_while_ready_is_an_outcome_that_is_not_published(api: API, settle: Settle) -> None:
    api.put(LOGIN)
    api.state("READY")
    settle()
    api.state("READY")
    assert settle() == []
    assert outcomes()[-1] == ("READY", "ignored", "")


def test_another_reason_is_published_and_the_same_one_is_not(
    api: API, codes: dict[str, ReasonCode], settle: Settle
) -> None:
    api.put(LOGIN)
    api.state("NOT_READY", codes["Lunch"].pk)
    settle()
    api.state("NOT_READY", codes["Lunch"].pk)
    assert settle() == []
    api.state("NOT_READY", codes["Coaching"].pk)
    (published,) = settle()
    assert update_of(published).findtext("data/Media/ReasonCode/label") == "Coaching"


def test_signing_out_shows_no_reason_and_the_history_keeps_it(
    api: API, codes: dict[str, ReasonCode], settle: Settle
) -> None:
    api.put(LOGIN)
    api.state("LOGOUT", codes["End of shift"].pk)
    *_, published = settle()
    assert update_of(published).findtext("data/Media/state") == "LOGOUT"
    assert update_of(published).findtext("data/Media/reasonCodeId") == "-1"
    assert update_of(published).find("data/Media/ReasonCode") is None
    last = StateInterval.objects.first()
    assert last is not None
    assert (last.state, last.code, last.label) == ("LOGOUT", 1, "End of shift")


def test_the_history_is_an_unbroken_chain_with_reasons_as_they_were(
    api: API, codes: dict[str, ReasonCode], settle: Settle
) -> None:
    api.put(LOGIN)
    settle()
    api.state("READY")
    api.state("NOT_READY", codes["Lunch"].pk)
    settle()
    ReasonCode.objects.filter(pk=codes["Lunch"].pk).update(label="Renamed")
    api.state("READY")
    settle()
    intervals = list(StateInterval.objects.order_by("id"))
    assert [(one.state, one.label) for one in intervals] == [
        ("NOT_READY", ""),
        ("READY", ""),
        ("NOT_READY", "Lunch"),
        ("READY", ""),
    ]
    for earlier, later in itertools.pairwise(intervals):
        assert earlier.ended_at == later.started_at
    assert intervals[-1].ended_at is None
    assert media().state_change_time == intervals[-1].started_at
    assert {(one.cause, one.actor) for one in intervals} == {("self", "alice")}


def test_renewed_options_are_no_new_interval(api: API, settle: Settle) -> None:
    api.put(LOGIN)
    api.put(LOGIN.replace(">5<", ">9<"))
    settle()
    assert StateInterval.objects.count() == 1


def test_a_batch_of_mixed_requests_is_applied_in_order(api: API, settle: Settle) -> None:
    api.state("READY", requestId="1")
    api.put(LOGIN)
    api.state("READY")
    api.put(LOGIN, mrd=5000)
    api.put(LOGIN, requestId="5")
    api.state("LOGOUT")
    api.state("READY", requestId="7")
    published = settle()
    assert [(one.source[-4:], one.request_id) for one in published] == [
        ("5001", "1"),
        ("5001", ""),
        ("5001", ""),
        ("5000", ""),
        ("5001", "5"),
        ("5001", ""),
        ("5001", "7"),
    ]
    states = [update_of(one).findtext("data/Media/state") for one in published]
    assert states == [None, "NOT_READY", "READY", "NOT_READY", None, "LOGOUT", None]


def test_more_requests_than_a_batch_holds_are_applied_in_order(
    api: API, settle: Settle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "REQUESTS_PER_BATCH", 3)
    api.put(LOGIN)
    for number in range(10):
        api.state("READY" if number % 2 else "NOT_READY")
    settle()
    assert all(outcome for _, outcome, _ in outcomes())
    assert media().state == "READY"


def test_positions_are_contiguous_and_each_outcome_names_its_own(api: API, settle: Settle) -> None:
    before = LogHead.objects.get().position
    for state in ("READY", "NOT_READY", "LOGOUT"):
        api.state(state)
    published = settle()
    assert [one.position for one in published] == [before + 1, before + 2, before + 3]
    assert LogHead.objects.get().position == before + 3
    assert list(MediaRequest.objects.order_by("id").values_list("position", flat=True)) == [
        one.position for one in published
    ]


def test_a_state_that_came_about_after_the_202_is_refused_as_a_notification(
    api: API, settle: Settle
) -> None:
    api.put(LOGIN)
    settle()
    api.state("READY", requestId="late")
    Media.objects.filter(user="alice", mrd=5001).update(state="ACTIVE")
    (published,) = settle()
    assert error_in(published)["errorMessage"] == "Invalid State specified for user"
    # No page shows its number; clients with types read an integer.
    assert error_in(published)["errorData"] == "-1"


def test_a_request_that_is_committed_after_later_ones_is_applied_by_the_next_batch(
    cast: Cast, settle: Settle
) -> None:
    """Ids are given before their rows are committed."""

    def accept(pk: int) -> None:
        MediaRequest.objects.create(
            pk=pk,
            login_id="alice",
            mrd_id=5000,
            requested="READY",
            actor="alice",
            accepted_at=timezone.now(),
        )

    for pk in (100, 200, 300, 299, 50):
        accept(pk)
        writer.apply_pending()
        assert MediaRequest.objects.filter(pk=pk, outcome="error").exists()


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite needs no VACUUM for it")
def test_vacuum_keeps_the_index_of_pending_requests_clean() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT reloptions FROM pg_class WHERE relname = 'media_mediarequest'")
        (options,) = cursor.fetchone()
    assert "vacuum_index_cleanup=on" in options


def raising_operational_error(*args: Any, **options: Any) -> None:
    raise OperationalError("the database went away")


def test_nothing_of_a_batch_is_visible_when_it_fails_half_way(
    api: API, settle: Settle, monkeypatch: pytest.MonkeyPatch
) -> None:
    api.put(LOGIN)

    with monkeypatch.context() as broken:
        broken.setattr("finesse.notifications.log.append", raising_operational_error)
        with pytest.raises(OperationalError):
            writer.apply_pending()
    assert outcomes() == [("LOGIN", None, "")]
    assert media().state == "LOGOUT"
    assert not StateInterval.objects.exists()
    settle()
    assert media().state == "NOT_READY"


@pytest.mark.parametrize("step", ["change_of", "represent"])
def test_a_request_that_cannot_be_decided_ends_in_an_error_and_delays_no_other(
    api: API, settle: Settle, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """Before its state is set, or after: nothing of it is written then, either."""
    api.put(LOGIN)
    api.put(LOGIN, mrd=5000, requestId="bad")
    api.state("READY")
    real = getattr(batch, step)

    def moody(subject: Any) -> Any:
        if subject.mrd_id == 5000:
            raise ValueError("a bug")
        return real(subject)

    monkeypatch.setattr(batch, step, moody)
    settle()
    assert outcomes() == [
        ("LOGIN", "changed", ""),
        ("LOGIN", "error", "RUNTIME_EXCEPTION"),
        ("READY", "changed", ""),
    ]
    assert (media().state, media(mrd=5000).state) == ("READY", "LOGOUT")
    assert not StateInterval.objects.filter(mrd_id=5000).exists()


def test_a_request_that_the_database_refuses_ends_in_an_error_and_delays_no_other(
    api: API, settle: Settle, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stored value that its column's rules forbid once it is to be written."""
    api.put(LOGIN, requestId="bad")
    api.put(LOGIN, mrd=5000)
    real = batch.Batch.write

    def picky(batch: Any, head: Any) -> None:
        for request in batch.requests:
            if request.request_id == "bad" and request.outcome == "changed":
                raise DatabaseError("refused by a rule")
        real(batch, head)

    monkeypatch.setattr(batch.Batch, "write", picky)
    published = settle()
    assert [error_in(one).get("errorMessage") for one in published] == ["RUNTIME_EXCEPTION", None]
    assert (media().state, media(mrd=5000).state) == ("LOGOUT", "NOT_READY")


def test_a_clock_that_was_set_back_does_not_break_the_history(
    api: API, settle: Settle, monkeypatch: pytest.MonkeyPatch
) -> None:
    api.put(LOGIN)
    settle()
    started = StateInterval.objects.get().started_at
    api.state("READY")
    earlier = started - timedelta(hours=1)
    with monkeypatch.context() as past:
        past.setattr("media.writing.batch.timezone.now", lambda: earlier)
        settle()
    first, _ = StateInterval.objects.order_by("id")
    assert first.ended_at == first.started_at
    assert outcomes()[-1] == ("READY", "changed", "")


# --- memberships --------------------------------------------------------------------------------


def test_joining_and_leaving_an_mrd_are_published(cast: Cast, settle: Settle) -> None:
    joined = Media.objects.create(user=cast.alice, mrd_id=5002)
    joined.delete()
    assert [(one.event, one.source[-4:]) for one in settle()] == [
        ("POST", "5002"),
        ("DELETE", "5002"),
    ]


def test_leaving_an_mrd_ends_its_open_interval(api: API, cast: Cast, settle: Settle) -> None:
    api.put(LOGIN)
    settle()
    cast.alice.delete()
    assert not StateInterval.objects.filter(ended_at=None).exists()
    assert sorted((one.event, one.source[-4:]) for one in settle()) == [
        ("DELETE", "5000"),
        ("DELETE", "5001"),
        ("DELETE", "lice"),
        ("DELETE", "sers"),  # Of the team.
        ("PUT", "5001"),  # Signed out before.
    ]


def test_a_renamed_mrd_is_published_to_its_members(settle: Settle) -> None:
    mrd = MediaRoutingDomain.objects.get(pk=5001)
    mrd.name = "Letters"
    mrd.save()
    (published,) = settle()
    assert (published.event, update_of(published).findtext("data/Media/name")) == ("PUT", "Letters")


def test_notifying_many_members_takes_no_more_queries_than_notifying_one(
    cast: Cast, settle: Settle, own_layer: None
) -> None:
    def queries(act: Callable[[], Any]) -> int:
        with CaptureQueriesContext(connection) as captured:
            act()
        return len(captured)

    def mrd_with(members: int, pk: int) -> MediaRoutingDomain:
        made = MediaRoutingDomain.objects.create(pk=pk, name=f"MRD {pk}")
        users = [User(login_id=f"u{pk}-{number}", first_name="U") for number in range(members)]
        User.objects.bulk_create(users)
        Media.objects.bulk_create([Media(user=user, mrd=made) for user in users])
        return made

    small, large = mrd_with(1, 6001), mrd_with(50, 6002)
    settle()
    small.description = large.description = "Letters"
    assert queries(large.save) == queries(small.save)
    assert len(settle()) == 51
    assert queries(large.delete) == queries(small.delete)
    assert [one.event for one in settle()] == ["DELETE"] * 51


# --- the bell -----------------------------------------------------------------------------------


def test_requests_gather_under_load_and_wait_for_nothing_otherwise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now, pauses, whole = 100.0, [], tasks.BATCH_INTERVAL_SECONDS

    def pause(seconds: float) -> None:
        nonlocal now
        pauses.append(round(seconds, 4))
        now += seconds

    def paused(last_applied: int, after: float) -> list[float]:
        nonlocal now
        monkeypatch.setattr(tasks, "_last_applied", last_applied)
        now += after
        pauses.clear()
        tasks._gather()
        return pauses

    monkeypatch.setattr(tasks, "_monotonic", lambda: now)
    monkeypatch.setattr(tasks, "_sleep", pause)
    monkeypatch.setattr(tasks, "_gathered_at", float("-inf"))
    full = tasks.REQUESTS_OF_A_BUSY_SERVICE
    assert paused(full, after=0) == []
    assert paused(full, after=whole) == []
    assert paused(full, after=whole / 4) == [round(whole * 3 / 4, 4)]
    assert paused(10 * full, after=0) == [whole]
    # The smaller the batch before, the shorter the wait.
    assert paused(full // 4, after=0) == [round(whole / 4, 4)]
    assert paused(full // 4, after=whole / 4) == []
    assert paused(0, after=0) == []


def test_the_size_of_a_batch_is_that_of_the_next_pause(
    api: API, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("media.writing.bell._send", lambda: None)
    monkeypatch.setattr(tasks, "publish_all", lambda: None)
    monkeypatch.setattr(tasks, "_sleep", lambda seconds: None)
    for number in (3, 0, 1):
        for _ in range(number):
            assert api.put(LOGIN).status_code == 202
        tasks.apply_requests()
        assert tasks._last_applied == number


def test_a_request_while_others_gather_needs_no_message(
    api: API, monkeypatch: pytest.MonkeyPatch
) -> None:
    rung: list[int] = []
    monkeypatch.setattr("media.writing.bell._send", lambda: rung.append(1))

    def gather() -> None:
        assert api.state("READY").status_code == 202
        assert rung == [1]

    monkeypatch.setattr(tasks, "_gather", gather)
    monkeypatch.setattr(tasks, "publish_all", lambda: None)
    assert api.put(LOGIN).status_code == 202
    tasks.apply_requests()
    assert outcomes() == [("LOGIN", "changed", ""), ("READY", "changed", "")]
    assert api.state("READY").status_code == 202
    assert rung == [1, 1]
