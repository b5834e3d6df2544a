"""What the database and the API hold before and after a round, as the checker takes it."""

import time
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import httpx
import psycopg
from defusedxml.ElementTree import fromstring

from finesse.notifications.places import Place
from media.models import VOICE_MRD
from media.states import Change, DesktopSession, MediaSession, Options, Requested, State
from tests.faults.history import (
    OUT_OF_SERVICE,
    Entry,
    Interval,
    Key,
    Session,
    Shown,
    Stored,
    source_of,
)

PATIENCE_SECONDS = 10.0
"""In which a service that is back has to answer; it is no target, but an end of patience."""
PAUSE_SECONDS = 0.2
PASSWORD = "finesse"
Database = psycopg.Connection[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Before:
    """The database when nothing is going on."""

    head: Place
    last_request: int
    last_interval: int
    open_intervals: dict[Key, int]
    sessions: dict[Key, Session]


def before(database: Database) -> Before:
    return Before(
        head=head(database),
        last_request=_one(database, "SELECT coalesce(max(id), 0) FROM media_mediarequest"),
        last_interval=_one(database, "SELECT coalesce(max(id), 0) FROM media_stateinterval"),
        open_intervals={
            (login_id, mrd_id): pk
            for pk, login_id, mrd_id in database.execute(
                "SELECT id, login_id, mrd_id FROM media_stateinterval WHERE ended_at IS NULL"
            )
        },
        sessions={
            **{(row[0], row[1]): _session(row[2:]) for row in database.execute(_SESSIONS)},
            **{
                (login_id, VOICE_MRD): DesktopSession(
                    state=State(state), reason_code=reason, extension=extension
                )
                for login_id, state, reason, extension in database.execute(_DESKTOPS)
            },
        },
    )


_SESSIONS = """
SELECT user_id, mrd_id, state, reason_code_id, routable, not_routable_next, max_dialog_limit,
       interrupt_action, dialog_logout_action, resume
FROM media_media ORDER BY user_id, mrd_id
"""
_DESKTOPS = """
SELECT agent.user_id, coalesce(state, 'LOGOUT'), reason_code_id, coalesce(extension, '')
FROM (SELECT DISTINCT user_id FROM media_media) AS agent
LEFT JOIN media_desktop USING (user_id) ORDER BY user_id
"""
_REQUESTS = """
SELECT made.id, made.request_id, made.login_id, coalesce(made.mrd_id, %(voice)s), requested,
       reason_code_id, max_dialog_limit, interrupt_action, dialog_logout_action, extension,
       outcome, error, position, applied_at, act.action_id
FROM media_mediarequest AS made LEFT JOIN media_actionrow AS act ON act.request = made.id
WHERE made.id > %(last)s ORDER BY made.id
"""


def _one(database: Database, statement: str) -> int:
    ((found,),) = database.execute(statement)
    return int(found)


def _session(row: Any) -> MediaSession:
    state, reason, routable, later, limit, interrupt, dialog_logout, resume = row
    return MediaSession(
        state=State(state),
        reason_code=reason,
        routable=routable,
        not_routable_next=later,
        options=_options(limit, interrupt, dialog_logout),
        resume=State(resume) if resume else None,
    )


def _options(limit: int | None, interrupt: str, dialog_logout: str) -> Options | None:
    if not limit:
        return None
    return Options(
        max_dialog_limit=limit, interrupt_action=interrupt, dialog_logout_action=dialog_logout
    )


def pending(database: Database) -> int:
    return _one(database, "SELECT count(*) FROM media_mediarequest WHERE outcome IS NULL")


def stored(database: Database, since: Before) -> list[Stored]:
    rows = database.execute(_REQUESTS, {"voice": VOICE_MRD, "last": since.last_request})
    return [
        Stored(
            id=row[0],
            request_id=row_of_action(row[14], (row[2], row[3])) if row[14] else row[1],
            is_named=row[14] is None,
            key=(row[2], row[3]),
            change=Change(
                requested=Requested(row[4]),
                reason_code=row[5],
                options=_options(*row[6:9]),
                extension=row[9],
            ),
            outcome=row[10],
            error=row[11],
            position=row[12],
            applied_at=row[13],
        )
        for row in rows
    ]


def row_of_action(action: object, key: Key) -> str:
    """What takes the place of the requestId for a row of an action on the board."""
    return f"{action} {key}"


def head(database: Database) -> Place:
    ((position, digits),) = database.execute(
        "SELECT position, check_digits FROM notifications_loghead"
    )
    return Place(position, digits)


def log(database: Database, after: int) -> list[Entry]:
    """What it has behind this position."""
    rows = database.execute(
        'SELECT position, check_digits, node, source, request_id, "update"'
        " FROM notifications_notification WHERE position > %s ORDER BY position",
        [after],
    )
    return [
        Entry(
            number=Place(row[0], row[1]).number,
            position=row[0],
            node=row[2],
            source=row[3],
            request_id=row[4],
            shown=_shown(row[5]),
        )
        for row in rows
    ]


def intervals(database: Database, since: Before) -> dict[Key, list[Interval]]:
    found: defaultdict[Key, list[Interval]] = defaultdict(list)
    for login_id, mrd_id, state, reason, started_at, ended_at in database.execute(
        "SELECT login_id, mrd_id, state, reason_code_id, started_at, ended_at"
        " FROM media_stateinterval WHERE id > %s OR id = ANY(%s) ORDER BY id",
        [since.last_interval, [*since.open_intervals.values()]],
    ):
        found[login_id, mrd_id].append(
            Interval(
                key=(login_id, mrd_id),
                state=state,
                reason=reason,
                started_at=started_at,
                ended_at=ended_at,
            )
        )
    return found


def final(url: str, keys: list[Key]) -> dict[Key, Shown]:
    """What a GET of each Media and of each desktop answers. Raises AssertionError, with the path
    and the answer."""
    found = {}
    with httpx.Client(base_url=url, timeout=30) as client:
        for login_id, mrd_id in keys:
            path = source_of((login_id, mrd_id))
            answer = _in_service(client, path, login_id)
            assert answer.status_code == 200, f"GET {path}: {answer.status_code} {answer.text}"
            shown = _shown(answer.text)
            assert shown is not None, f"GET {path}: {answer.text}"
            found[login_id, mrd_id] = shown
    return found


def _in_service(client: httpx.Client, path: str, login_id: str) -> httpx.Response:
    """The answer; a 503 is said, and asked again after a while, as clients do."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        answer = client.get(path, auth=(login_id, PASSWORD))
        if answer.status_code != OUT_OF_SERVICE or time.monotonic() > deadline:
            return answer
        print(f"  GET {path} at the round's end: {OUT_OF_SERVICE}", flush=True)
        time.sleep(PAUSE_SECONDS)


def _shown(text: str) -> Shown | None:
    root = fromstring(text)
    media = root if root.tag == "Media" else root.find("data/Media")
    user = root if root.tag == "User" else root.find("data/user")
    found = user if media is None else media
    if found is None:
        return None
    return Shown(
        state=found.findtext("state", ""),
        reason=int(found.findtext("reasonCodeId") or -1),
        routable=None if media is None else media.findtext("routable") == "true",
    )
