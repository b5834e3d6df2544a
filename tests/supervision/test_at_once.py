"""Real processes: a server that is killed in the middle, and several people at once."""

import json
import re
import threading
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from typing import Any

import httpx
import pytest

from tests.kit.installation import TIMEOUT_SECONDS, Installation

AGENTS = 150
MAKE_AGENTS = f"""
from django.utils import timezone
from finesse.users.models import Team, User
from media.models import Media
team = Team.objects.get(supervisors="2001")
names = ["crew-%03d" % number for number in range({AGENTS})]
User.objects.bulk_create([User(pk=name, first_name=name, team=team) for name in names])
Media.objects.bulk_create([
    Media(user_id=name, mrd_id=5001, state="READY", state_change_time=timezone.now(),
          routable=True, max_dialog_limit=5, interrupt_action="ACCEPT",
          dialog_logout_action="CLOSE")
    for name in names
])
"""
OUTCOMES = """
import json
from collections import Counter
from media.models import MediaRequest, StateInterval
from media.supervision_tables import ActionRow
requests = MediaRequest.objects.filter(login_id__startswith="crew-")
rows = ActionRow.objects.filter(action="{id}")
open_now = StateInterval.objects.filter(login_id__startswith="crew-", ended_at=None)
print(json.dumps({{
    "rows": rows.count(),
    "asked": requests.filter(pk__in=rows.values("request")).count(),
    "without": requests.filter(outcome=None).count(),
    "orphans": requests.exclude(pk__in=ActionRow.objects.values("request")).count(),
    "twice": [n for n in Counter(open_now.values_list("login_id", "mrd_id")).values() if n > 1],
}}))
"""


class Person(httpx.Client):
    """Signed in to the viewer, as a browser is."""

    def __init__(self, url: str, login: str) -> None:
        super().__init__(base_url=url, timeout=30)
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', self.get("/login/").text)
        assert token
        form = {"username": login, "password": "finesse", "csrfmiddlewaretoken": token[1]}
        assert self.post("/login/", data=form).status_code == 302

    def act(self, requested: str, agents: list[str], **fields: Any) -> httpx.Response:
        rows = [{"agentId": agent, "mrdId": 5001} for agent in agents]
        sent = {"id": str(uuid.uuid4()), "requested": requested, "rows": rows, **fields}
        return self.send_json("actions/", sent)

    def send_json(self, path: str, sent: Any) -> httpx.Response:
        headers = {"X-CSRFToken": self.cookies["csrftoken"]}
        return self.post(f"/supervision/{path}", json=sent, headers=headers)

    def settled(self, action_id: str) -> dict[str, Any]:
        """The action when every row has its outcome."""
        deadline = time.monotonic() + TIMEOUT_SECONDS
        while time.monotonic() < deadline:
            shown: dict[str, Any] = self.get(f"/supervision/actions/{action_id}/").json()
            if not shown["pending"]:
                return shown
            time.sleep(0.05)
        raise AssertionError(f"{shown['pending']} rows have no outcome")


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    made = Installation(tmp_path_factory.mktemp("installation"))
    made.start()
    made.manage("shell", "--no-imports", "-c", MAKE_AGENTS)
    yield made
    made.end()


@pytest.fixture
def person(installation: Installation) -> Iterator[Any]:
    with ExitStack() as signed_in:
        # Closed, not entered: it has been used before.
        yield lambda login: signed_in.enter_context(closing(Person(installation.url, login)))


@pytest.fixture(scope="module")
def crew() -> list[str]:
    return [f"crew-{number:03d}" for number in range(AGENTS)]


def test_each_row_has_its_one_outcome_although_the_server_is_killed_in_the_middle(
    installation: Installation, person: Any, crew: list[str]
) -> None:
    states = ["NOT_READY", "READY"]
    answered, cut = 0, 0
    # From before the request is read to after its answer, on machines fast and slow.
    for number, delay in enumerate((0.01, 0.07, 0.2)):
        dana = person("2001")
        action_id, requested = str(uuid.uuid4()), states[number % 2]
        killer = threading.Timer(delay, installation.kill, ["server"])
        killer.start()
        try:
            dana.act(requested, crew, id=action_id)
            answered += 1
        except httpx.HTTPError:
            cut += 1
        killer.join()
        installation.start()
        # The page sends the same again, whether or not it got an answer.
        again = dana.act(requested, crew, id=action_id)
        assert again.status_code == 202, again.text
        shown = dana.settled(action_id)
        assert {row["result"] for row in shown["rows"]} == {"changed"}
        found = installation.query(OUTCOMES.format(id=action_id))
        assert found == {
            "rows": AGENTS,
            "asked": AGENTS,
            "without": 0,
            "orphans": 0,
            "twice": [],
        }
    # Without one of each, the delays would have missed the middle.
    assert cut, (answered, cut)


def test_two_supervisors_and_the_agent_at_once_leave_one_outcome_for_each_request(
    installation: Installation, person: Any, crew: list[str]
) -> None:
    dana, admin = person("2001"), person("admin")
    some = crew[:10]
    requested = ["NOT_READY", "READY", "NOT_ROUTABLE", "ROUTABLE"]

    def step_in(person: Person, turn: int) -> str:
        answer = person.act(requested[turn % 4], some)
        assert answer.status_code == 202, answer.text
        action_id: str = answer.json()["id"]
        return action_id

    with ThreadPoolExecutor(2) as people:
        done = [
            (person, people.submit(step_in, person, turn + offset))
            for turn in range(8)
            for offset, person in enumerate((dana, admin))
        ]
    for person, action in done:
        shown = person.settled(action.result())
        assert len(shown["rows"]) == len(some)
        assert {row["result"] for row in shown["rows"]} <= {
            "changed",
            "ignored",
            "error",
            "refused",
        }
    found = installation.query(OUTCOMES.format(id=done[-1][1].result()))
    assert (found["without"], found["twice"]) == (0, [])


def test_of_two_who_undo_against_each_other_only_the_last_change_goes_back(
    installation: Installation, person: Any, crew: list[str]
) -> None:
    dana, admin = person("2001"), person("admin")
    agent = crew[20:21]
    dana.settled(dana.act("READY", agent).json()["id"])
    first = dana.act("NOT_READY", agent).json()["id"]
    dana.settled(first)
    second = admin.act("READY", agent).json()["id"]
    admin.settled(second)
    with ThreadPoolExecutor(2) as people:
        undoing = [
            people.submit(person.send_json, f"actions/{action}/undo/", {})
            for person, action in ((dana, first), (admin, second))
        ]
    results = [one.result().json()["rows"][0]["undone"] for one in undoing]
    # The later one goes back to the earlier one's state, whose undo finds a change since.
    assert results == ["Changed again since: left as it is", "As before"]


def test_an_agent_who_acts_at_the_same_time_is_never_overruled_by_an_undo(
    installation: Installation, person: Any
) -> None:
    dana = person("2001")
    path = f"{installation.url}/finesse/api/User/1234/Media/5001"

    def ana(state: str) -> httpx.Response:
        reason = "<reasonCodeId>1001</reasonCodeId>" if state == "NOT_READY" else ""
        body = f"<Media><state>{state}</state>{reason}</Media>"
        xml = {"Content-Type": "application/xml"}
        return httpx.put(path, content=body, headers=xml, auth=("1234", "finesse"), timeout=30)

    for _ in range(4):
        dana.settled(dana.act("READY", ["1234"]).json()["id"])
        action = dana.act("NOT_READY", ["1234"]).json()["id"]
        dana.settled(action)
        with ThreadPoolExecutor(2) as people:
            undoing = people.submit(dana.send_json, f"actions/{action}/undo/", {})
            lunch = people.submit(ana, "NOT_READY")
        assert lunch.result().status_code == 202
        assert undoing.result().status_code == 200, undoing.result().text
        # In whichever order: the agent's own wish is the last.
        deadline = time.monotonic() + TIMEOUT_SECONDS
        while "<label>Lunch</label>" not in (
            shown := httpx.get(path, auth=("1234", "finesse"), timeout=30).text
        ):
            assert time.monotonic() < deadline, shown
            time.sleep(0.05)
    assert json.loads(installation.manage("shell", "--no-imports", "-c", PENDING)) == 0


PENDING = (
    "from media.models import MediaRequest as R; print(R.objects.filter(outcome=None).count())"
)
