"""Who chooses from a list of reason codes, or watches those who do, is told when it changes."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from finesse.notifications.models import Notification
from finesse.notifications.nodes import REASON_CODES, TEAM_REASON_CODES
from finesse.notifications.readers import Reader, readers_of
from finesse.users.models import Team
from reasoncodes.models import ReasonCode
from tests.conftest import API, Cast, update_of

pytestmark = pytest.mark.usefixtures("own_layer")
Settle = Callable[[], list[Notification]]


class House:
    """alice's team is Chat, which carol supervises; bob's is Back office."""

    def __init__(self, api: API, cast: Cast, codes: dict[str, ReasonCode]) -> None:
        self.api, self.cast, self.codes = api, cast, codes
        self.chat: Any = cast.alice.team
        self.office: Any = cast.bob.team

    def put(self, label: str, body: str) -> None:
        path = f"ReasonCode/{self.codes[label].pk}"
        answer = self.api.request("PUT", path, f"<ReasonCode>{body}</ReasonCode>", login="dave")
        assert answer.status_code == 200, answer.content

    def change(self, label: str, **fields: Any) -> None:
        code = self.codes[label]
        for name, value in fields.items():
            setattr(code, name, value)
        code.save()


@pytest.fixture
def house(api: API, cast: Cast, codes: dict[str, ReasonCode], settle: Settle) -> House:
    settle()
    return House(api, cast, codes)


def told(settle: Settle) -> list[tuple[str, str, str]]:
    """Node, event and label of each notification about a list."""
    return [
        (one.node, one.event, update_of(one).findtext("data/ReasonCode/label") or "")
        for one in settle()
        if one.node.endswith("/ReasonCodes")
    ]


def of(team: Team) -> str:
    return TEAM_REASON_CODES.format(id=team.pk)


def test_a_new_code_is_added_to_everybodys_list(house: House, settle: Settle) -> None:
    new = ReasonCode.objects.create(category="NOT_READY", code=9, label="Training")
    assert told(settle) == [(REASON_CODES, "POST", "Training")]
    new.delete()
    assert told(settle) == [(REASON_CODES, "DELETE", "Training")]


def test_a_teams_new_code_is_added_to_its_list_alone(house: House, settle: Settle) -> None:
    new = ReasonCode.objects.create(category="NOT_READY", code=9, label="Training", for_all=False)
    assert told(settle) == []
    new.teams.add(house.chat)
    assert told(settle) == [(of(house.chat), "POST", "Training")]


def test_a_changed_label_is_told_to_those_who_have_it(house: House, settle: Settle) -> None:
    house.put("Coaching", "<label>Feedback</label>")
    assert told(settle) == [(of(house.chat), "PUT", "Feedback")]
    house.put("Coaching", "<label>Feedback</label>")
    assert told(settle) == []


@pytest.mark.parametrize(
    "fields",
    [
        {"colour": "#17887f"},
        {"translations": {"de": "Mittag"}},
        {"place": 3},
        {"description": "Once a day"},
        {"productive": False},
        {"maximum_minutes": 30},
    ],
    ids=str,
)
def test_another_meaning_is_told(house: House, settle: Settle, fields: dict[str, Any]) -> None:
    house.change("Lunch", **fields)
    assert told(settle) == [(REASON_CODES, "PUT", "Lunch")]


def test_a_retired_code_leaves_the_lists_and_comes_back(house: House, settle: Settle) -> None:
    for retired, event in ((True, "DELETE"), (False, "POST")):
        house.change("Coaching", retired=retired)
        assert told(settle) == [(of(house.chat), event, "Coaching")]


def test_a_code_for_everybody_becomes_one_of_teams(house: House, settle: Settle) -> None:
    house.codes["Lunch"].teams.add(house.office)
    assert told(settle) == []
    house.put("Lunch", "<forAll>false</forAll>")
    assert told(settle) == [
        (REASON_CODES, "DELETE", "Lunch"),
        (of(house.office), "POST", "Lunch"),
    ]


def test_codes_of_a_team_are_assigned_and_taken_away(house: House, settle: Settle) -> None:
    uri = f"<ReasonCode><uri>{house.codes['Coaching'].uri}</uri></ReasonCode>"
    path = f"Team/{house.office.pk}/ReasonCodes?category=NOT_READY"
    body = f"<ReasonCodes>{uri}</ReasonCodes>"
    assert house.api.request("PUT", path, body, login="dave").status_code == 200
    assert told(settle) == [
        (of(house.office), "DELETE", "Filing"),
        (of(house.office), "POST", "Coaching"),
    ]
    house.codes["Coaching"].teams.clear()
    assert sorted(told(settle)) == sorted(
        (of(team), "DELETE", "Coaching") for team in (house.chat, house.office)
    )


def test_agents_supervisors_and_administrators_hear_of_their_lists(house: House) -> None:
    readers: dict[str, Reader] = readers_of(["alice", "bob", "carol", "dave"])
    hears = {
        login: [
            readers[login].may_see(node)
            for node in (REASON_CODES, of(house.chat), of(house.office))
        ]
        for login in readers
    }
    assert hears == {
        "alice": [True, True, False],
        "bob": [True, False, True],
        "carol": [True, True, False],
        "dave": [True, True, True],
    }


def test_clients_of_xmpp_get_the_protocols_nodes_alone(house: House) -> None:
    for login in ("alice", "carol", "dave"):
        reader = replace(
            readers_of([login])[login],
            resource="desktop",
            subscriptions=frozenset({REASON_CODES, of(house.chat)}),
        )
        assert not reader.may_subscribe(REASON_CODES)
        assert not reader.may_see(REASON_CODES)
        assert not reader.may_see(of(house.chat))


# --- the board ------------------------------------------------------------------------------------


def seen_by(house: House, login: str, **headers: str) -> Any:
    client = Client()
    client.force_login(getattr(house.cast, login))
    found = client.get(reverse("reason-codes"), headers=headers)
    assert found.status_code == 200
    meanings = found.json()["reasonCodes"]
    assert client.get(reverse("board"), headers=headers).json()["reasonCodes"] == meanings
    return meanings


def test_the_board_has_what_codes_mean_in_the_browsers_language(house: House) -> None:
    assert seen_by(house, "alice") == {}
    house.change("Lunch", colour="#17887f", translations={"de": "Mittag"}, maximum_minutes=30)
    meaning = {
        "label": None,
        "colour": "#17887f",
        "description": None,
        "productive": None,
        "maximumMinutes": 30,
        "warningMinutes": None,
        "ofRules": None,
    }
    pk = str(house.codes["Lunch"].pk)
    assert seen_by(house, "alice") == {pk: meaning}
    german = {"accept-language": "de-CH, en;q=0.5"}
    assert seen_by(house, "alice", **german) == {pk: meaning | {"label": "Mittag"}}


def test_what_codes_of_other_teams_mean_stays_there(house: House) -> None:
    for label in ("Coaching", "Filing"):
        house.change(label, colour="#17887f")
    coaching, filing = (str(house.codes[label].pk) for label in ("Coaching", "Filing"))
    assert {login: set(seen_by(house, login)) for login in ("alice", "bob", "carol", "dave")} == {
        "alice": {coaching},
        "bob": {filing},
        "carol": {coaching},
        "dave": {coaching, filing},
    }


def test_strangers_learn_nothing(house: House, client: Client) -> None:
    assert client.get(reverse("reason-codes")).status_code == 401
