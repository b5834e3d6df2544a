"""Notifications of a team's users on the node of the team, for its subscribers."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Any
from xml.etree.ElementTree import Element

import pytest
from channels.db import database_sync_to_async
from defusedxml.ElementTree import fromstring
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from finesse.notifications import log, publisher
from finesse.notifications.follower import AccessChanged
from finesse.notifications.hub import Hub
from finesse.notifications.models import LogHead, Notification, Subscription
from finesse.notifications.nodes import TEAM_USERS
from finesse.notifications.places import Place
from finesse.notifications.readers import Reader, claimed, renewed
from finesse.users.models import Team, User
from media.models import Desktop, MediaRequest
from media.writing import writer
from reasoncodes.models import ReasonCode
from tests.conftest import API, LOGIN, Cast, outcomes, update_of
from tests.kit.documents import content

Settle = Callable[[], list[Notification]]


def summary_of(notifications: Iterable[Notification]) -> list[tuple[str, str, str]]:
    """Event, node and source of each, without what all of them begin with."""
    api = "/finesse/api/"
    return [
        (one.event, one.node.removeprefix(api), one.source.removeprefix(api))
        for one in notifications
    ]


class Desk:
    """Requests about a user's desktop, as this user unless another one is given."""

    def __init__(self, api: API) -> None:
        self.api = api

    def put(self, state: str, more: str = "", *, user: str = "alice", **options: str) -> None:
        body = f"<User><state>{state}</state>{more}</User>"
        options = {"login": user, **options}
        response = self.api.request("PUT", f"User/{user}", body, **options)
        assert response.status_code == 202, response.content

    def sign_in(self, **options: str) -> None:
        self.put("LOGIN", "<extension>1001</extension>", **options)

    def team(self, path: str) -> Element:
        response = self.api.request("GET", path, login="dave")
        assert response.status_code == 200
        return fromstring(response.content)


@pytest.fixture
def desk(api: API) -> Desk:
    return Desk(api)


@pytest.fixture
def chat(cast: Cast, settle: Settle) -> str:
    """The end of the path of alice's team; the cast's own notifications have been published."""
    settle()
    return f"Team/{cast.alice.team_id}"


@pytest.fixture
def office(cast: Cast) -> str:
    """bob's team."""
    return f"Team/{cast.bob.team_id}"


# --- a member changes ---------------------------------------------------------------------------


def test_a_members_state_is_published_to_the_team_right_after_the_user(
    desk: Desk, settle: Settle, chat: str
) -> None:
    desk.sign_in(requestId="r-1")
    published = settle()
    assert summary_of(published) == [
        ("PUT", "User/alice", "User/alice"),
        ("PUT", f"{chat}/Users", "User/alice"),
    ]
    update = update_of(published[1])
    assert [child.tag for child in update] == ["data", "event", "requestId", "source"]
    assert (update.findtext("event"), update.findtext("requestId")) == ("PUT", "")
    assert update.findtext("source") == "/finesse/api/User/alice"
    assert update.findtext("data/user/state") == "NOT_READY"


def test_it_shows_the_user_as_get_team_does(
    desk: Desk, settle: Settle, chat: str, codes: dict[str, ReasonCode]
) -> None:
    desk.sign_in()
    desk.put("NOT_READY", f"<reasonCodeId>{codes['Lunch'].pk}</reasonCodeId>")
    of_team = update_of(settle()[-1]).find("data/user")
    assert content(of_team) == content(desk.team(chat).find("users/User"))
    assert of_team is not None
    assert of_team.findtext("reasonCode/label") == "Lunch"


def test_the_request_id_comes_along_where_successes_carry_it(
    desk: Desk, settle: Settle, chat: str, settings: Any
) -> None:
    settings.FINESSE_REQUEST_ID_ON_SUCCESS = True
    desk.sign_in(requestId="r-<1>")
    assert [one.request_id for one in settle()] == ["r-<1>", "r-<1>"]


def test_a_supervisors_change_is_published_to_the_team_too(
    desk: Desk, settle: Settle, chat: str
) -> None:
    desk.sign_in()
    settle()
    desk.put("READY", login="carol")
    assert summary_of(settle())[1:] == [("PUT", f"{chat}/Users", "User/alice")]


def test_errors_and_requests_without_a_change_are_not_published_to_the_team(
    desk: Desk, settle: Settle, chat: str
) -> None:
    desk.sign_in()
    desk.put("READY")
    settle()
    desk.put("READY")
    assert settle() == []
    desk.put("NOT_READY")
    # Accepted, since something is pending, and too late in its turn.
    desk.put("READY")
    desk.put("LOGOUT")
    published = settle()
    assert outcomes()[-1][1] == "error"
    assert [one.node.endswith("/Users") for one in published] == [False, True, False, True, False]


def test_a_media_is_no_business_of_the_team(api: API, settle: Settle, chat: str) -> None:
    api.put(LOGIN)
    api.state("READY")
    assert {one.node for one in settle()} == {"/finesse/api/User/alice/Media"}


def test_without_a_team_only_the_user_is_notified(
    desk: Desk, settle: Settle, cast: Cast, chat: str
) -> None:
    desk.sign_in(user="carol")
    cast.carol.first_name = "Carola"
    cast.carol.save()
    eve = User.objects.create_user("eve", None, first_name="Eve")
    eve.delete()
    assert {one.node.rpartition("/")[2] for one in settle()} == {"carol", "eve"}


def test_each_request_names_its_own_notification_and_no_position_is_left_out(
    desk: Desk, api: API, settle: Settle, chat: str, office: str
) -> None:
    api.put(LOGIN, mrd=5000)
    api.put(LOGIN, mrd=5001)
    desk.sign_in()
    settle()
    before = LogHead.objects.get().position
    desk.sign_in(user="bob")
    desk.put("LOGOUT")
    desk.sign_in(user="carol")
    published = settle()
    assert summary_of(published) == [
        ("PUT", "User/bob", "User/bob"),
        ("PUT", f"{office}/Users", "User/bob"),
        ("PUT", "User/alice", "User/alice"),
        ("PUT", f"{chat}/Users", "User/alice"),
        ("PUT", "User/alice/Media", "User/alice/Media/5000"),
        ("PUT", "User/alice/Media", "User/alice/Media/5001"),
        ("PUT", "User/carol", "User/carol"),
    ]
    assert [one.position - before for one in published] == [1, 2, 3, 4, 5, 6, 7]
    assert LogHead.objects.get().position == before + 7
    requests = MediaRequest.objects.filter(position__gt=before).order_by("position")
    assert [
        (one.login_id, one.mrd_id, (one.position or 0) - before) for one in requests
    ] == [
        ("bob", None, 1),
        ("alice", None, 3),
        ("alice", 5000, 5),
        ("alice", 5001, 6),
        ("carol", None, 7),
    ]  # fmt: skip


def test_a_batch_takes_the_same_queries_for_many_members(cast: Cast, settle: Settle) -> None:
    members = [
        User.objects.create_user(f"agent{number}", None, first_name="A", team=team)
        for team in (cast.alice.team, cast.bob.team)
        for number in (range(10) if team == cast.alice.team else range(10, 20))
    ]
    settle()

    def queries(users: Iterable[User]) -> int:
        """Of one batch in which these sign in."""
        for user in users:
            MediaRequest.objects.create(
                login_id=user.pk,
                mrd_id=None,
                requested="LOGIN",
                extension="1",
                actor=user.pk,
                accepted_at=timezone.now(),
            )
        with CaptureQueriesContext(connection) as captured:
            writer.apply_pending()
        return len(captured)

    of_one = queries(members[:1])
    assert len(settle()) == 2
    assert queries(members[1:]) == of_one
    assert len(settle()) == 2 * 19


# --- members come and go ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change", [{"first_name": "Alicia <&>"}, {"last_name": "Lima"}, {"is_supervisor": True}]
)
def test_a_members_name_and_role_are_published_to_the_team(
    settle: Settle, cast: Cast, chat: str, change: dict[str, Any]
) -> None:
    for name, value in change.items():
        setattr(cast.alice, name, value)
    cast.alice.save()
    published = settle()
    assert summary_of(published) == [
        ("PUT", "User/alice", "User/alice"),
        ("PUT", f"{chat}/Users", "User/alice"),
    ]
    assert update_of(published[1]).findtext("data/user/firstName") == cast.alice.first_name


def test_a_move_is_published_to_the_old_team_and_to_the_new_one(
    desk: Desk, settle: Settle, cast: Cast, chat: str, office: str
) -> None:
    cast.alice.team = cast.bob.team
    cast.alice.save()
    published = settle()
    assert summary_of(published) == [
        ("PUT", "User/alice", "User/alice"),
        ("DELETE", f"{chat}/Users", f"{chat}/Users"),
        ("POST", f"{office}/Users", f"{office}/Users"),
    ]
    alice = content(desk.team(office).find("users/User"))
    for one in published[1:]:
        (user,) = update_of(one).findall("data/users/User")
        assert content(user) == alice


def test_leaving_for_no_team_and_joining_from_none_are_published_once(
    settle: Settle, cast: Cast, chat: str
) -> None:
    team, cast.alice.team = cast.alice.team, None
    cast.alice.save()
    assert summary_of(settle())[1:] == [("DELETE", f"{chat}/Users", f"{chat}/Users")]
    cast.alice.team = team
    cast.alice.save()
    assert summary_of(settle())[1:] == [("POST", f"{chat}/Users", f"{chat}/Users")]


def test_a_new_user_and_a_deleted_one_are_published_to_the_team(
    settle: Settle, cast: Cast, chat: str
) -> None:
    eve = User.objects.create_user("eve", None, first_name="Eve", team=cast.alice.team)
    Desktop.objects.create(user=eve, state="NOT_READY", extension="7")
    eve.delete()
    published = settle()
    assert summary_of(published) == [
        ("POST", "User/eve", "User/eve"),
        ("POST", f"{chat}/Users", f"{chat}/Users"),
        # Signed out first.
        ("PUT", "User/eve", "User/eve"),
        ("PUT", f"{chat}/Users", "User/eve"),
        ("DELETE", "User/eve", "User/eve"),
        ("DELETE", f"{chat}/Users", f"{chat}/Users"),
    ]
    signed_out, deleted, removed = [update_of(published[number]) for number in (3, 4, 5)]
    assert signed_out.findtext("data/user/state") == "LOGOUT"
    assert deleted.find("data") is None
    # The client of the list needs to know which user to remove.
    assert removed.findtext("data/users/User/uri") == "/finesse/api/User/eve"


def test_an_object_that_is_older_than_the_database_notifies_the_right_team(
    settle: Settle, cast: Cast, chat: str, office: str
) -> None:
    first, second, third = (User.objects.get(pk="alice") for _ in range(3))
    cast.alice.team = cast.bob.team
    cast.alice.save()
    settle()
    first.last_name, first.first_name = "Lima", "nobody saves this"
    first.save(update_fields=["last_name"])
    own, of_team = settle()
    assert summary_of([of_team]) == [("PUT", f"{office}/Users", "User/alice")]
    for one in (own, of_team):
        user = update_of(one).find("data/user")
        assert user is not None
        assert (user.findtext("firstName"), user.findtext("lastName")) == ("Alice", "Lima")
    second.delete()
    assert summary_of(settle())[-1] == ("DELETE", f"{office}/Users", f"{office}/Users")
    # A second deletion of the same user publishes nothing.
    third.delete()
    assert settle() == []


def test_a_password_and_a_sign_in_are_not_published_to_the_team(
    settle: Settle, cast: Cast, chat: str
) -> None:
    Client().force_login(cast.alice)
    cast.alice.set_password("another one")
    cast.alice.save()
    assert settle() == []


# --- a real supervisor's desktop ----------------------------------------------------------------


class Users:
    """A team's users as the official client keeps them [observed: client 10.5.1].

    If the source is the list itself, POST adds and DELETE removes the users in the data; from any
    other source a user is known by the uri in the data, and replaced if it is in the list.
    """

    def __init__(self, team: Element) -> None:
        self.url = f"{team.findtext('uri')}/Users"
        self.users = {self.id_of(user): content(user) for user in team.iterfind("users/User")}

    @staticmethod
    def id_of(user: Element) -> str:
        return (user.findtext("uri") or "").rpartition("/")[2]

    def take(self, update: Element) -> None:
        (data,) = update.iterfind("data/*")
        event = update.findtext("event")
        if update.findtext("source") != self.url:
            if self.id_of(data) in self.users and event == "PUT":
                self.users[self.id_of(data)] = content(data)
            return
        assert data.tag in {"users", "Users"}
        for user in data.iterfind("User"):
            if event == "POST":
                self.users[self.id_of(user)] = content(user)
            elif event == "DELETE":
                self.users.pop(self.id_of(user), None)


def test_the_official_clients_list_stays_what_get_team_shows(
    desk: Desk, settle: Settle, cast: Cast, chat: str, office: str
) -> None:
    lists = {f"/finesse/api/{path}/Users": Users(desk.team(path)) for path in (chat, office)}
    alice, bob = cast.alice, cast.bob

    def move(user: User, team: Team | None) -> None:
        user.team = team
        user.save()

    def rename(user: User, name: str) -> None:
        user.first_name = name
        user.save()

    in_chat, in_office = alice.team, bob.team
    sizes = []
    for change in (
        desk.sign_in,
        lambda: desk.put("READY"),
        lambda: rename(alice, "Alicia"),
        lambda: move(bob, in_chat),
        lambda: desk.sign_in(user="bob"),
        lambda: move(alice, in_office),
        lambda: desk.put("NOT_READY"),
        lambda: move(bob, None),
        lambda: desk.put("READY", user="bob"),
        lambda: rename(bob, "Bobby"),
        lambda: move(bob, in_office),
        lambda: User.objects.create_user("eve", None, first_name="Eve", team=in_chat),
        lambda: desk.put("LOGOUT"),
        alice.delete,
    ):
        change()
        for published in settle():
            if published.node in lists:
                lists[published.node].take(update_of(published))
        for path in (chat, office):
            assert lists[f"/finesse/api/{path}/Users"].users == Users(desk.team(path)).users
        sizes.append(sum(len(one.users) for one in lists.values()))
    assert sizes == [2] * 7 + [1] * 3 + [2, 3, 3, 2]


# --- subscribers --------------------------------------------------------------------------------


@pytest.fixture
async def hub(cast: Cast, server_loop: None) -> AsyncIterator[Hub]:
    running = await Hub.running()
    yield running
    assert running._task is not None
    running._task.cancel()
    await asyncio.gather(running._task, return_exceptions=True)


@database_sync_to_async
def rename_everybody() -> None:
    """alice, then bob, carol and dave."""
    for user in User.objects.order_by("pk"):
        user.first_name = f"New {user.first_name}"
        user.save()
    publisher.publish_all()


async def nodes(hub: Hub, reader: Reader, after: Place | None, count: int) -> list[str]:
    """Where the next notifications of this reader are from."""
    _, _, follower = await hub.subscribe(reader, after)
    return await seen(follower, count)


async def seen(follower: Any, count: int) -> list[str]:
    found: list[str] = []
    async with asyncio.timeout(30):
        async for one in follower:
            if not isinstance(one, AccessChanged):
                found.append(one.node.removeprefix("/finesse/api/"))
            if len(found) == count:
                break
    return found


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("way", ["live", "from memory", "from the table"])
async def test_only_subscribers_of_the_team_get_it(hub: Hub, cast: Cast, way: str) -> None:
    team = TEAM_USERS.format(id=cast.alice.team_id)
    for login_id in ("bob", "carol", "dave"):
        await Subscription.objects.acreate(login_id=login_id, resource="asks", node=team)
    of_team = team.removeprefix("/finesse/api/")
    expected = {
        # The sockets of the viewers, which show each change once.
        (cast.dave, None): ["User/alice", "User/bob", "User/carol", "User/dave"],
        (cast.carol, None): ["User/alice", "User/carol"],
        # XMPP clients: a supervisor of the team and an administrator, with and without a
        # subscription, and a user who may not see what he subscribed to.
        (cast.carol, "asks"): [of_team, "User/carol"],
        (cast.carol, "does not"): ["User/carol"],
        (cast.dave, "asks"): [of_team, "User/dave"],
        (cast.bob, "asks"): ["User/bob"],
    }
    before = (await database_sync_to_async(log.head)()).place
    readers = {}
    for (user, resource), paths in expected.items():
        claim = claimed(user, resource=resource)
        reader = (await renewed([claim])).get(claim)
        assert reader is not None
        readers[reader] = paths
    if way == "live":
        followers = [(await hub.subscribe(reader, None))[2] for reader in readers]
        await rename_everybody()
        found = [
            await seen(follower, len(paths))
            for follower, paths in zip(followers, readers.values(), strict=True)
        ]
    else:
        await rename_everybody()
        newest = (await database_sync_to_async(log.head)()).place
        async with asyncio.timeout(30):
            while hub.place != newest:
                await hub._catch_up()
        if way == "from the table":
            hub._recent.clear()
        found = [await nodes(hub, reader, before, len(paths)) for reader, paths in readers.items()]
    assert found == list(readers.values())


def test_the_viewers_stream_begins_as_if_there_were_no_teams(
    settle: Settle, cast: Cast, chat: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("media.board.views.RECENT", 3)
    for name in ("A", "B", "C"):
        cast.alice.first_name = name
        cast.alice.save()
    first = settle()[0].position
    before = Notification.objects.get(position=first - 1).place.number
    for login in ("dave", "carol", "alice"):
        client = Client()
        client.force_login(User.objects.get(pk=login))
        assert client.get("/board/").json()["replayFrom"] == before
