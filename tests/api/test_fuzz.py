"""Odd requests: each gets an answer of the protocol, and a refused one leaves no trace.

`make test` sends some 1,500 requests, always the same; `make fuzz` sends 20,000 new ones and prints
how they were answered. FINESSE_FUZZ is the number of requests.
"""

import hashlib
import os
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from io import BytesIO
from typing import Any
from urllib.parse import unquote
from xml.etree.ElementTree import Element, ParseError, XMLParser, fromstring

import pytest
from django.core.cache import cache
from django.db import connection, transaction
from django.db.models import Q
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from finesse import heartbeat
from finesse.notifications.models import LogHead, Notification
from finesse.notifications.nodes import team_of
from finesse.users.models import Team, User
from media.models import Desktop, Media, MediaRequest, MediaRoutingDomain, StateInterval
from media.writing import writer
from media.writing.bell import BELL_KEY
from reasoncodes.models import ReasonCode
from tests.conftest import API, LOGIN, Cast, basic
from tests.kit.odd_requests import XML_TYPES, Request, element, requests
from tests.kit.xml_schema import faults

USUAL = 750
"""In `make test`; `make fuzz` sends 20,000."""
REQUESTS = int(os.environ.get("FINESSE_FUZZ", USUAL))
TOGETHER = 5
"""Requests that follow each other on the same data."""
ANSWER_CPU_SECONDS = 5
"""That any answer may take. The client of the tests calls the view in its own thread."""


# --- requests that may be accepted --------------------------------------------------------------

STATES = {"LOGIN", "READY", "NOT_READY", "LOGOUT", "ACTIVE"}


def expected(request: Request) -> list[Element] | None:
    """The elements that each lead to one request if the answer is 202; None if it must not be 202.

    Written from the protocol, not from the code; states that forbid a request do not matter here.
    """
    named = re.fullmatch(
        r"User/([^/]+)(/Media(?:/([^/]+))?)?/?", unquote(request.path.split("?")[0])
    )
    if not named or request.method.upper() != "PUT":
        return None
    root = read(request)
    own = request.caller.login == named[1]
    if root is None or request.caller.login is None:
        return None
    if named[2] is None:
        may = (
            own
            or request.caller.login == "dave"
            or (request.caller.login, named[1]) == ("carol", "alice")
        )
        return [root] if may and root.tag == "User" and sound_user(root, named[1], own) else None
    if not own:
        return None
    if named[3]:
        return [root] if root.tag == "Media" and sound_media(root, named[1]) else None
    every = [child for child in root if child.tag == "Media"]
    sound = all(sound_media(one, named[1]) for one in every)
    return every if root.tag == "MediaList" and every and sound else None


def read(request: Request) -> Element | None:
    """The root of a body that may be read, without namespaces."""
    body = request.body
    if request.length is not None:
        if not re.fullmatch("[0-9]{1,9}|", request.length):
            return None
        if int(request.length or 0) > len(body):
            return None
        body = body[: int(request.length or 0)]
    marked = body.startswith(b"\xef\xbb\xbf")
    body = body.removeprefix(b"\xef\xbb\xbf").lstrip()
    declared = re.match(rb"<\?xml[^>]*encoding=[\"']([^\"']*)", body)
    if request.content_type not in XML_TYPES or len(request.body) > 65_536 or b"<!DOCTYPE" in body:
        return None
    encoding = "ISO-8859-1" if "ISO" in request.content_type else "utf-8"
    if "charset=" not in request.content_type and declared and not marked:
        encoding = declared[1].decode("latin-1")
    if encoding.lower() not in {"utf-8", "us-ascii", "iso-8859-1"}:
        return None
    if body.count(b"<") > 2_000 or body.count(b"=") > 500:
        return None
    try:
        text = body.decode(
            "latin-1" if encoding.upper() == "ISO-8859-1" and not marked else "utf-8"
        )
        root = fromstring(text, parser=XMLParser(encoding="utf-8"))
    except (ParseError, UnicodeDecodeError):
        return None
    for one in root.iter():
        one.tag = one.tag.rpartition("}")[2]
    return root


def last(parent: Element, name: str) -> str:
    found = parent.findall(name)
    if not found:
        return ""
    return "<>" if len(found[-1]) else (found[-1].text or "").strip()


def sound_media(media: Element, login: str) -> bool:
    state, routable, reason = (last(media, name) for name in ("state", "routable", "reasonCodeId"))
    if routable:
        return not state and not reason and routable.lower() in {"true", "false"}
    if state == "LOGIN":
        return (
            last(media, "maxDialogLimit") in {str(n) for n in range(1, 11)}
            and last(media, "interruptAction") in {"ACCEPT", "IGNORE"}
            and last(media, "dialogLogoutAction") in {"CLOSE", "TRANSFER", ""}
            and not reason
        )
    return state in STATES and sound_reason(state, reason, login)


def sound_user(user: Element, login: str, own: bool) -> bool:
    state, reason = last(user, "state"), last(user, "reasonCodeId")
    if state not in STATES - {"ACTIVE"} or not own:
        return state in {"READY", "NOT_READY", "LOGOUT"} and not reason
    if state == "LOGIN" and not (last(user, "extension") or last(user, "activeDeviceId")):
        return False
    return sound_reason(state, reason, login)


def sound_reason(state: str, reason: str, login: str) -> bool:
    """A reason for NOT_READY and LOGOUT that the user may choose, if there is any; none else."""
    if state not in {"NOT_READY", "LOGOUT"}:
        return not reason
    team = User.objects.get(pk=login).team_id
    mine = Q(for_all=True) | (Q(teams=team) if team else Q(pk=None))
    chosen = ReasonCode.objects.filter(mine, category=state, retired=False, system_code=False)
    ids = {str(pk) for pk in chosen.values_list("pk", flat=True)}
    return reason in ids if ids else not reason


def may_configure(request: Request) -> bool:
    """A 200 to anything but a question: an administrator changes reason codes."""
    path = unquote(request.path.split("?")[0]).rstrip("/")
    method = request.method.upper()
    if request.caller.login != "dave":
        return False
    if method == "DELETE":
        return bool(re.fullmatch("ReasonCode/[^/]+", path))
    root = read(request)
    if root is None:
        return False
    if re.fullmatch("Team/[^/]+/ReasonCodes", path):
        return method == "PUT" and root.tag == "ReasonCodes"
    is_one = re.fullmatch("ReasonCode/[^/]+", path)
    return root.tag == "ReasonCode" and method == ("PUT" if is_one else "POST")


# --- the checks ---------------------------------------------------------------------------------

CONFIGURED = (ReasonCode, ReasonCode.teams.through)
KEPT = (Media, Desktop, User, Team, MediaRoutingDomain, StateInterval)
GROWING = (MediaRequest,)
LOG = (LogHead, Notification)
MEMORY = {"sign_in_failed"}
"""Columns that note failed tries, as the counts in the cache do, and no requested change."""


def digest(*models: Any) -> str:
    """Changes with every change of a row. In plain SQL, since it is asked for all the time."""
    found = hashlib.md5(usedforsecurity=False)
    with connection.cursor() as cursor:
        for model in models:
            meta = model._meta
            names = {field.column for field in meta.local_concrete_fields} - MEMORY
            columns = ", ".join(f'"{name}"' for name in sorted(names))
            cursor.execute(f'SELECT {columns} FROM "{meta.db_table}" ORDER BY "{meta.pk.column}"')
            found.update(repr(cursor.fetchall()).encode())
    return found.hexdigest()


class World:
    """The data that requests meet, and what they may make of it."""

    def __init__(self, api: API, ids: dict[str, int]) -> None:
        self.api = api
        self.ids = ids
        self.answers: Counter[str] = Counter()
        self.sent = 0

    def fresh(self, down: bool) -> None:
        """As if no request had ever come; without bells, since no worker runs here."""
        self.sent += 1
        cache.key_prefix = f"fuzz-{self.sent}"
        cache.set(BELL_KEY, True, None)
        if not down:
            for part in heartbeat.PARTS:
                heartbeat.stamp(part)
        self.down = down
        self.before = self.state()

    def state(self) -> tuple[str, str, str, str]:
        return digest(*KEPT), digest(*GROWING), digest(*CONFIGURED), digest(*LOG)

    def fill(self, text: str) -> str:
        for name, pk in self.ids.items():
            text = text.replace(f"{{{name}}}", str(pk))
        return text

    def filled(self, request: Request) -> Request:
        body = request.body
        for name, pk in self.ids.items():
            body = body.replace(f"{{{name}}}".encode(), str(pk).encode())
        return Request(**{**vars(request), "path": self.fill(request.path), "body": body})

    def send(self, request: Request) -> Any:
        headers = dict(request.headers)
        if request.caller.header is not None:
            headers["Authorization"] = request.caller.header
        # The test client's own stream would not let anybody read more than there is.
        extra: dict[str, Any] = {"wsgi.input": BytesIO(request.body)}
        if request.length is not None:
            extra["CONTENT_LENGTH"] = request.length
        started = time.thread_time()
        response = self.api.client.generic(
            request.method,
            f"/finesse/api/{request.path}",
            request.body,
            request.content_type,
            headers=headers,
            **extra,
        )
        assert time.thread_time() - started < ANSWER_CPU_SECONDS
        return response

    def exchange(self, request: Request) -> None:
        request = self.filled(request)
        note(str(request)[:2_000])
        wanted = None if self.down else expected(request)
        may_change = not self.down and may_configure(request)
        response = self.send(request)
        status = response.status_code
        self.answers[str(status)] += 1
        note(f"{status} {response.content[:500]!r}")
        self.check_form(request, response)
        if self.down:
            assert status == 503 or self.is_system_info(request), "out of service for all alike"
        else:
            assert status < 500
        if status == 202:
            assert wanted is not None, "a 202 that no page describes"
            self.check_outcomes(len(wanted))
            return
        after = self.state()
        if status == 200 and request.method.upper() in {"PUT", "POST", "DELETE", "PATCH"}:
            assert may_change, "a 200 that no page describes"
            assert after[:2] == self.before[:2], "only the reason codes change"
            if after[3] != self.before[3]:
                assert after[2] != self.before[2], "what GET says has changed, so it is published"
                for one in Notification.objects.order_by("-position")[:5]:
                    assert faults(one.update) == []
            self.before = after
        assert after == self.before, "an answer that changes nothing has changed something"

    def is_system_info(self, request: Request) -> bool:
        return unquote(request.path.split("?")[0]).rstrip("/").startswith("SystemInfo")

    def check_form(self, request: Request, response: Any) -> None:
        """What holds for every answer."""
        status = response.status_code
        method = request.method.upper()
        assert status in {200, 202, 400, 401, 404, 405, 503}
        given = request.headers.get("requestId", "")
        echoed = re.fullmatch("[ -~]{1,255}", given) and method not in {"GET", "HEAD"}
        assert response.get("requestId") == (given if echoed else None)
        if method != "HEAD":
            assert response["Content-Length"] == str(len(response.content))
        if response.content:
            assert response["Content-Type"] == "application/xml; charset=utf-8"
            assert faults(response.content) == []
        assert bool(response.content.startswith(b"<ApiErrors>")) is (
            status >= 400 and method != "HEAD"
        )
        assert ("WWW-Authenticate" in response) is (status == 401)
        assert "Allow" in response or status != 405

    def check_outcomes(self, number: int) -> None:
        """Each of the requests that the 202 has left behind ends in exactly one outcome."""
        new = MediaRequest.objects.filter(outcome=None)
        ids = list(new.values_list("pk", flat=True))
        assert len(ids) == number
        head = LogHead.objects.get().position
        while writer.apply_pending():
            pass
        assert not new.exists()
        published = list(Notification.objects.filter(position__gt=head).order_by("position"))
        assert [one.position for one in published] == [*range(head + 1, head + 1 + len(published))]
        outcomes = MediaRequest.objects.filter(pk__gte=ids[0])
        positions = sorted(one.position for one in outcomes if one.position)
        # A change of a user is published again to its team, at the next position.
        to_teams = {one.position for one in published if team_of(one.node) is not None}
        assert positions == [one.position for one in published if one.position not in to_teams]
        assert {position - 1 for position in to_teams} <= set(positions)
        for one in outcomes:
            assert (one.position is None) is (one.outcome == "ignored")
            assert one.error != "RUNTIME_EXCEPTION"
            self.answers[f"202 {one.outcome}"] += 1
        for one in published:
            assert faults(one.update) == []
        after = self.state()
        assert after[2] == self.before[2], "agents change no reason codes"
        self.before = after


@pytest.fixture
def world(
    api: API,
    cast: Cast,
    codes: dict[str, ReasonCode],
    settle: Callable[[], list[Notification]],
    settings: Any,
) -> Iterator[World]:
    """alice is READY in one MRD and NOT_READY in the other, and so is her desktop."""
    lunch = f"<state>NOT_READY</state><reasonCodeId>{codes['Lunch'].pk}</reasonCodeId>"
    for path, body in (
        ("User/alice/Media/5000", LOGIN),
        ("User/alice/Media/5000", "<Media><state>READY</state></Media>"),
        ("User/alice/Media/5001", LOGIN),
        ("User/alice/Media/5001", element("Media", lunch)),
        ("User/alice", "<User><state>LOGIN</state><extension>1001</extension></User>"),
        ("User/alice", element("User", lunch)),
    ):
        assert api.request("PUT", path, body).status_code == 202
    settle()
    settings.FINESSE_HEARTBEAT_SECONDS = 600
    system = ReasonCode.objects.filter(system_code=True).first()
    assert system
    teams = {team.name.lower(): team.pk for team in Team.objects.all()}
    reasons = {label: code.pk for label, code in codes.items()}
    prefix = cache.key_prefix
    yield World(api, {**teams, **reasons, "system": system.pk})
    cache.key_prefix = prefix


def explore(world: World, number: int, *, down: bool) -> None:
    """Send so many requests, in groups, each group to an untouched installation."""

    @settings(
        max_examples=-(-number // TOGETHER),
        deadline=None,
        derandomize=REQUESTS == USUAL,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.lists(requests(), min_size=TOGETHER, max_size=TOGETHER))
    def send(together: list[Request]) -> None:
        with transaction.atomic():
            world.fresh(down)
            for request in together:
                world.exchange(request)
            transaction.set_rollback(True)

    send()


# Shrinking what fails takes its time, too.
@pytest.mark.timeout(600 + REQUESTS // 10)
def test_each_odd_request_is_answered_and_done_whole_or_not_at_all(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    explore(world, REQUESTS * 14 // 15, down=False)
    explore(world, REQUESTS // 15, down=True)
    sent = sum(number for answer, number in world.answers.items() if answer.isdecimal())
    if REQUESTS != USUAL:
        with capsys.disabled():
            print(f"\n{sent} requests: {dict(sorted(world.answers.items()))}")
    assert sent >= REQUESTS
    # Fuzzing that is never let in would find nothing.
    wanted = {"200", "202 changed", "202 error", "202 ignored", "400", "401", "404", "405", "503"}
    assert wanted <= world.answers.keys()


# What the requests above have found, and might not find again.


@pytest.mark.usefixtures("cast")
def test_more_query_parameters_than_django_counts_are_ignored_too(api: API) -> None:
    """With a charset, Django counts them while it makes the request, before any view answers."""
    path = "User/alice/Media/5001?" + "&".join(["a=1"] * 5_000)
    response = api.request("PUT", path, LOGIN, content_type="text/xml; charset=UTF-8")
    assert response.status_code == 202


@pytest.mark.usefixtures("cast")
def test_a_body_that_ends_before_its_length_is_refused(api: API) -> None:
    """Although the received part is a whole document."""
    extra: dict[str, Any] = {"wsgi.input": BytesIO(LOGIN.encode()), "CONTENT_LENGTH": "300"}
    response = api.client.put(
        "/finesse/api/User/alice/Media/5001",
        content_type="application/xml",
        headers={"Authorization": basic("alice")},
        **extra,
    )
    assert response.status_code == 400
    assert not MediaRequest.objects.exists()
