"""A user who is deactivated is signed out by the system, and stays so, however it happened."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from finesse.notifications.models import Notification
from finesse.users.models import User
from media import tasks
from media.models import Desktop, Media, MediaRequest, StateInterval
from media.writing import writer
from tests.conftest import API, LOGIN, Cast, outcomes, update_of

pytestmark = pytest.mark.usefixtures("own_layer")
DESKTOP_LOGIN = "<User><state>LOGIN</state><extension>1001</extension></User>"


@pytest.fixture
def signed_in(api: API, cast: Cast) -> API:
    """alice, in one MRD READY, in the other NOT_READY, and at the desktop."""
    for mrd in (5000, 5001):
        assert api.put(LOGIN, mrd=mrd).status_code == 202
    api.request("PUT", "User/alice", DESKTOP_LOGIN)
    writer.apply_pending()
    api.state("READY", mrd=5001)
    writer.apply_pending()
    return api


def by_the_admin(cast: Cast) -> None:
    admin = Client()
    admin.force_login(cast.dave)
    no_media = {"media-TOTAL_FORMS": "0", "media-INITIAL_FORMS": "0"}
    form = {"first_name": "Alice", "team": cast.alice.team_id, **no_media}
    page = reverse("admin:users_user_change", args=["alice"])
    assert admin.post(page, form).status_code == 302


def by_a_program(cast: Cast) -> None:
    cast.alice.is_active = False
    cast.alice.save()


def by_a_program_in_part(cast: Cast) -> None:
    cast.alice.is_active = False
    cast.alice.save(update_fields=["is_active"])


def by_a_statement(cast: Cast) -> None:
    User.objects.filter(pk="alice").update(is_active=False)
    tasks.sign_out_the_deactivated()


HOW = [by_the_admin, by_a_program, by_a_program_in_part, by_a_statement]


def states() -> set[str]:
    media = Media.objects.filter(user="alice").values_list("state", flat=True)
    return {*media, *Desktop.objects.filter(user="alice").values_list("state", flat=True)}


@pytest.mark.parametrize("deactivate", HOW)
def test_all_states_end_by_requests_of_the_system_and_are_published(
    signed_in: API, cast: Cast, deactivate: Callable[[Cast], None]
) -> None:
    before = Notification.objects.count()
    deactivate(cast)
    tasks.sweep()
    assert states() == {"LOGOUT"}
    assert not Media.objects.filter(user="alice", routable=True).exists()
    forced = MediaRequest.objects.filter(requested="FORCED_LOGOUT")
    assert {(one.cause, one.actor, one.outcome) for one in forced} == {("inactive", "", "changed")}
    assert {one.mrd_id for one in forced} == {5000, 5001, None}
    published = {
        one.source: update_of(one) for one in Notification.objects.filter(position__gt=before)
    }
    for mrd in (5000, 5001):
        update = published[f"/finesse/api/User/alice/Media/{mrd}"]
        assert update.findtext("data/Media/state") == "LOGOUT"
    assert published["/finesse/api/User/alice"].findtext("data/user/state") == "LOGOUT"
    intervals = StateInterval.objects.filter(login_id="alice", ended_at=None)
    assert set(intervals.values_list("state", "code", "cause")) == {("LOGOUT", 20002, "inactive")}


def test_the_history_says_why(signed_in: API, cast: Cast) -> None:
    by_a_program(cast)
    tasks.sweep()
    admin = Client()
    admin.force_login(cast.dave)
    page = admin.get(reverse("admin:media_stateinterval_changelist")).content.decode()
    assert page.count("the system, as the user was deactivated</td>") == 3


@pytest.mark.parametrize("deactivate", HOW)
def test_a_sign_in_that_was_accepted_ends_in_an_error(
    api: API, cast: Cast, deactivate: Callable[[Cast], None]
) -> None:
    api.put(LOGIN)
    api.request("PUT", "User/alice", DESKTOP_LOGIN)
    deactivate(cast)
    tasks.sweep()
    assert states() <= {"LOGOUT"}
    assert outcomes() == [("LOGIN", "error", "E_ARM_STAT_AGENT_NOT_FOUND")] * 2


def test_what_is_accepted_after_the_sign_out_does_not_undo_it(signed_in: API, cast: Cast) -> None:
    """From a server that had authenticated the user just before."""
    for body in (LOGIN, "<Media><state>READY</state></Media>"):
        assert signed_in.put(body, mrd=5000).status_code == 202
    late = list(MediaRequest.objects.filter(outcome=None))
    MediaRequest.objects.filter(outcome=None).delete()
    by_a_program(cast)
    for request in late:
        request.pk = None
    MediaRequest.objects.bulk_create(late)
    tasks.sweep()
    assert states() == {"LOGOUT"}
    assert outcomes()[-2:] == [
        ("LOGIN", "error", "E_ARM_STAT_AGENT_NOT_FOUND"),
        ("READY", "error", "E_ARM_STAT_AGENT_NOT_LOGGED_IN"),
    ]


def test_who_is_active_again_signs_in_again(signed_in: API, cast: Cast) -> None:
    by_a_program(cast)
    tasks.sweep()
    cast.alice.is_active = True
    cast.alice.save()
    tasks.sweep()
    assert states() == {"LOGOUT"}
    signed_in.put(LOGIN)
    tasks.sweep()
    assert states() == {"LOGOUT", "NOT_READY"}


@pytest.mark.parametrize("user", ["alice", "bob"])
def test_other_changes_sign_nobody_out(signed_in: API, cast: Cast, user: str) -> None:
    changed: Any = User.objects.get(pk=user)
    changed.first_name = "Another"
    changed.save()
    tasks.sweep()
    tasks.sign_out_the_deactivated()
    assert "READY" in states()
