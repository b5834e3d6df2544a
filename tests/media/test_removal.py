"""Who is taken out of an MRD, or deleted, is signed out by the system first, however it happens."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from finesse.notifications.models import Notification
from finesse.users.models import User
from media import tasks
from media.models import Cause, Desktop, Media, MediaRequest, MediaRoutingDomain, StateInterval
from reasoncodes.system_codes import FORCE_LOGOUT
from tests.conftest import API, LOGIN, Cast, outcomes, update_of

pytestmark = pytest.mark.usefixtures("own_layer")
Settle = Callable[[], list[Notification]]
DESKTOP_LOGIN = "<User><state>LOGIN</state><extension>1001</extension></User>"
MEDIA = "/finesse/api/User/alice/Media"


@pytest.fixture
def signed_in(api: API, cast: Cast, settle: Settle) -> API:
    """alice, in one MRD READY, in the other NOT_READY, and at the desktop."""
    for mrd in (5000, 5001):
        api.put(LOGIN, mrd=mrd)
    api.request("PUT", "User/alice", DESKTOP_LOGIN)
    settle()
    api.state("READY", mrd=5001)
    settle()
    return api


def page(cast: Cast, name: str, *pks: Any, **form: Any) -> None:
    admin = Client()
    admin.force_login(cast.dave)
    response = admin.post(reverse(f"admin:{name}", args=pks), form)
    assert response.status_code == 302, response.content.decode()


def action(cast: Cast, name: str, *pks: Any) -> None:
    chosen = {"_selected_action": [str(pk) for pk in pks], "post": "yes"}
    page(cast, f"{name}_changelist", action="delete_selected", **chosen)


def of_alice(mrd: int) -> Media:
    return Media.objects.get(user="alice", mrd=mrd)


def in_the_form_of_the_user(cast: Cast) -> None:
    page(
        cast,
        "users_user_change",
        "alice",
        first_name="Alice",
        team=cast.alice.team_id,
        is_active="on",
        **{
            "media-TOTAL_FORMS": "1",
            "media-INITIAL_FORMS": "1",
            "media-0-id": of_alice(5001).pk,
            "media-0-user": "alice",
            "media-0-DELETE": "on",
        },
    )


Way = Callable[[Cast], Any]
EMAIL: dict[str, Way] = {
    "a membership by its page": lambda cast: page(
        cast, "media_media_delete", of_alice(5001).pk, post="yes"
    ),
    "memberships by their list": lambda cast: action(cast, "media_media", of_alice(5001).pk),
    "a membership by a program": lambda cast: of_alice(5001).delete(),
    "memberships by a program": lambda cast: Media.objects.filter(mrd=5001).delete(),
    "an MRD by its page": lambda cast: page(
        cast, "media_mediaroutingdomain_delete", 5001, post="yes"
    ),
    "MRDs by a program": lambda cast: MediaRoutingDomain.objects.filter(pk=5001).delete(),
}
EVERYTHING: dict[str, Way] = {
    "a user by the page": lambda cast: page(cast, "users_user_delete", "alice", post="yes"),
    "users by their list": lambda cast: action(cast, "users_user", "alice", "bob"),
    "a user by a program": lambda cast: cast.alice.delete(),
    "users by a program": lambda cast: User.objects.filter(pk__in=["alice", "bob"]).delete(),
}
WAYS = [
    *((way, Cause.REMOVED, {5001}) for way in EMAIL.values()),
    *((way, Cause.DELETED, {1, 5000, 5001}) for way in EVERYTHING.values()),
]


@pytest.mark.parametrize(("way", "cause", "lost"), WAYS, ids=[*EMAIL, *EVERYTHING])
def test_the_states_end_by_a_request_of_the_system_with_a_cause_of_its_own(
    signed_in: API, cast: Cast, settle: Settle, way: Way, cause: Cause, lost: set[int]
) -> None:
    settle()
    way(cast)
    published = settle()
    requests = MediaRequest.objects.filter(requested="FORCED_LOGOUT")
    assert {one.mrd_id or 1 for one in requests} == lost
    for request in requests:
        assert (request.outcome, request.cause, request.actor) == ("changed", cause, "")
        assert request.reason_code is not None
        assert request.reason_code.code == FORCE_LOGOUT
    # The history has how it ended, and nothing in it goes on.
    assert not StateInterval.objects.filter(mrd_id__in=lost, ended_at=None).exists()
    last = {one.mrd_id: one for one in StateInterval.objects.order_by("id")}
    for mrd in lost:
        assert (last[mrd].state, last[mrd].cause, last[mrd].actor) == ("LOGOUT", cause, "")
    # What remains goes on as it was.
    assert {one.mrd_id for one in StateInterval.objects.filter(ended_at=None)} == {
        1,
        5000,
        5001,
    } - lost
    assert {*Media.objects.filter(user="alice").values_list("mrd", flat=True)} == {5000} - lost
    assert Desktop.objects.exists() is (1 not in lost)
    # Who follows sees the sign-out before the end.
    for mrd in lost - {1}:
        of_media = [one for one in published if one.source == f"{MEDIA}/{mrd}"]
        assert [one.event for one in of_media] == ["PUT", "DELETE"]
        for one in of_media:
            assert update_of(one).findtext("data/Media/state") == "LOGOUT"
    if 1 in lost:
        of_user = [one for one in published if one.source == "/finesse/api/User/alice"]
        own = [one for one in of_user if one.node == "/finesse/api/User/alice"]
        assert [one.event for one in own] == ["PUT", "DELETE"]
        assert update_of(own[0]).findtext("data/user/state") == "LOGOUT"


def test_who_is_signed_out_already_leaves_without_a_request(
    api: API, cast: Cast, settle: Settle
) -> None:
    settle()
    of_alice(5000).delete()
    cast.alice.delete()
    events = [(one.event, one.source.removeprefix("/finesse/api/User/alice")) for one in settle()]
    assert ("DELETE", "/Media/5000") in events
    assert "PUT" not in [event for event, _ in events]
    assert not MediaRequest.objects.exists()


def test_requests_that_are_pending_find_nothing_and_end_in_errors(
    signed_in: API, cast: Cast
) -> None:
    signed_in.state("NOT_READY", mrd=5001)
    signed_in.put(LOGIN, mrd=5001)
    of_alice(5001).delete()
    tasks.sweep()
    assert outcomes()[-3:] == [
        ("NOT_READY", "error", "E_ARM_STAT_AGENT_NOT_LOGGED_IN"),
        ("LOGIN", "error", "E_ARM_STAT_LOGIN_NOT_ALLOWED_FOR_APP_PATH"),
        ("FORCED_LOGOUT", "changed", ""),
    ]


def test_nothing_is_signed_out_if_the_deletion_is_undone(
    signed_in: API, cast: Cast, settle: Settle, monkeypatch: pytest.MonkeyPatch
) -> None:
    settle()

    def fail(*args: Any, **kwargs: Any) -> Any:
        raise RuntimeError

    monkeypatch.setattr("media.changes.memberships._publish_removal", fail)
    with pytest.raises(RuntimeError), transaction.atomic():
        cast.alice.delete()
    assert settle() == []
    assert {*Media.objects.filter(user="alice").values_list("state", flat=True)} == {
        "READY",
        "NOT_READY",
    }


def test_the_history_says_why(signed_in: API, cast: Cast) -> None:
    of_alice(5000).delete()
    cast.alice.delete()
    admin = Client()
    admin.force_login(cast.dave)
    shown = admin.get(reverse("admin:media_stateinterval_changelist")).content.decode()
    assert shown.count("the system, as the user was taken out of the MRD</td>") == 1
    assert shown.count("the system, as the user was deleted</td>") == 2


def test_an_mrd_with_many_members_is_left_in_a_few_statements(
    signed_in: API, cast: Cast, settle: Settle
) -> None:
    def members(number: int) -> None:
        users = [User(login_id=f"m{one}", first_name="M") for one in range(number)]
        options = {"max_dialog_limit": 1, "interrupt_action": "ACCEPT"}
        Media.objects.bulk_create(
            Media(user=one, mrd=mrd, state="READY", dialog_logout_action="CLOSE", **options)
            for one in User.objects.bulk_create(users)
        )

    def leave() -> int:
        with CaptureQueriesContext(connection) as captured:
            mrd.delete()
        return len(captured)

    mrd = MediaRoutingDomain.objects.create(pk=6000, name="One")
    members(1)
    of_one = leave()
    mrd = MediaRoutingDomain.objects.create(pk=6000, name="Many")
    User.objects.filter(pk__startswith="m").delete()
    members(190)
    # Django itself deletes the rows by hundreds.
    assert leave() <= of_one + 4
