"""The ceiling: the least work that any such service has to do, on the same tables.

Three programs, as the service has them: `http` for an ASGI server, `apply` and `sockets`
(`python -m benchmarks.ceiling apply`). No framework, no ORM, no administration, no description,
none of the protocol's errors: anything but a plain request of a known user is answered 400.

It keeps what the service promises: a request is a committed row before its 202, one writer applies
the rows in order under the head's lock, a notification is in the log before it is published, and
the cursor moves after the publishing.
"""

import asyncio
import base64
import hashlib
import hmac
import json
import os
import sys
import time
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, TypeAlias
from xml.etree.ElementTree import ParseError, fromstring
from xml.sax.saxutils import escape

import asyncpg
from redis.asyncio import Redis
from websockets.asyncio.server import ServerConnection, broadcast, serve
from websockets.http11 import Request

from benchmarks.people import EVERYBODY

Send: TypeAlias = Callable[[dict[str, Any]], Awaitable[None]]
Receive: TypeAlias = Callable[[], Awaitable[dict[str, Any]]]
Row: TypeAlias = asyncpg.Record

INSTANCE = os.environ.get("FINESSE_INSTANCE", "")
SECRET = os.environ.get("SECRET_KEY", "").encode()
BELL = f"{INSTANCE}:ceiling:bell"
RUNG = f"{INSTANCE}:ceiling:rung"
"""The list from which the applying program reads, waiting."""
HEARTBEAT = f"{INSTANCE}:ceiling:heartbeat"
PUBLISHED = f"{INSTANCE}:ceiling:published"
"""A channel; its messages are [[position, user's login id, frame], …]."""
BELL_MILLISECONDS = 2000
HEARTBEAT_SECONDS = 5.0
IN_SERVICE_CACHE_SECONDS = 0.1
"""A process reads the heartbeat again after that time."""
PASSWORD_CACHE_SECONDS = 3600
BATCH_SIZE = 200
DATABASE_CONNECTIONS = 8
"""Of one process that serves HTTP."""
STATES = {"READY", "NOT_READY"}

# --- statements -----------------------------------------------------------------------------------

USER = "SELECT password, is_active, team_id, sign_in_failed FROM users_user WHERE login_id = $1"
STATE = "SELECT state FROM media_media WHERE user_id = $1 AND mrd_id = $2"
OFFERED = """NOT r.retired AND NOT r.system_code AND r.category = 'NOT_READY' AND (r.for_all OR
  EXISTS (SELECT FROM reasoncodes_reasoncode_teams t
    WHERE t.reasoncode_id = r.id AND t.team_id = $1))"""
REASON = f"SELECT r.id FROM reasoncodes_reasoncode r WHERE r.id = $2 AND {OFFERED}"
REASONS = f"""SELECT r.id, r.category, r.code, r.label, r.for_all, r.system_code
FROM reasoncodes_reasoncode r WHERE {OFFERED} ORDER BY r.category, r.code"""
ACCEPT = """INSERT INTO media_mediarequest (login_id, mrd_id, requested, reason_code_id,
  interrupt_action, dialog_logout_action, extension, request_id, cause, actor, accepted_at, error)
VALUES ($1, $2, $3, $4, '', '', '', $5, 'self', $1, $6, '') RETURNING id"""
_SHOWN = """m.user_id, m.mrd_id, m.state, m.state_change_time, m.routable, m.max_dialog_limit,
  m.interrupt_action, m.dialog_logout_action, d.name, d.description, d.interruptible"""
_OF_REASON = "r.id AS reason_id, r.category, r.code, r.label, r.for_all"
MEDIA = f"""SELECT {_SHOWN}, {_OF_REASON} FROM media_media m
JOIN media_mediaroutingdomain d ON d.id = m.mrd_id
LEFT JOIN reasoncodes_reasoncode r ON r.id = m.reason_code_id
WHERE m.user_id = $1 AND m.mrd_id = $2"""

HEAD = "SELECT position FROM notifications_loghead WHERE id = 1 FOR UPDATE"
PENDING = f"""SELECT q.id, q.login_id, q.mrd_id, q.requested, q.request_id, q.cause,
  q.actor, {_OF_REASON}
FROM media_mediarequest q LEFT JOIN reasoncodes_reasoncode r ON r.id = q.reason_code_id
WHERE q.outcome IS NULL AND q.id >= $1 ORDER BY q.id LIMIT {BATCH_SIZE}"""
MEDIA_OF_MANY = f"""SELECT {_SHOWN}, m.reason_code_id, m.id FROM media_media m
JOIN media_mediaroutingdomain d ON d.id = m.mrd_id
WHERE (m.user_id, m.mrd_id) IN (SELECT * FROM unnest($1::text[], $2::int[]))"""
CHANGE = """UPDATE media_media m SET state = n.state, reason_code_id = n.reason,
  state_change_time = $4, routable = n.state = 'READY'
FROM unnest($1::bigint[], $2::text[], $3::bigint[]) AS n (id, state, reason) WHERE m.id = n.id"""
CLOSE = """UPDATE media_stateinterval i SET ended_at = greatest(i.started_at, $3)
FROM unnest($1::text[], $2::int[]) AS n (login_id, mrd_id)
WHERE i.login_id = n.login_id AND i.mrd_id = n.mrd_id AND i.ended_at IS NULL"""
OPEN = """INSERT INTO media_stateinterval (login_id, mrd_id, state, reason_code_id, code, label,
  cause, actor, started_at, ended_at)
SELECT login_id, mrd_id, state, reason, code, label, cause, actor, $10::timestamptz,
  CASE WHEN is_over THEN $10 END
FROM unnest($1::text[], $2::int[], $3::text[], $4::bigint[], $5::int[], $6::text[], $7::text[],
  $8::text[], $9::bool[])
  AS n (login_id, mrd_id, state, reason, code, label, cause, actor, is_over)"""
APPEND = """INSERT INTO notifications_notification
  (position, node, source, event, request_id, at, update)
SELECT position, node, source, 'PUT', request_id, $6, update
FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[])
  AS n (position, node, source, request_id, update)"""
GROW = "UPDATE notifications_loghead SET position = $1 WHERE id = 1"
CONCLUDE = """UPDATE media_mediarequest q SET outcome = n.outcome, position = n.position,
  applied_at = $4
FROM unnest($1::bigint[], $2::text[], $3::bigint[]) AS n (id, outcome, position)
WHERE q.id = n.id"""
CURSOR = """INSERT INTO notifications_transportcursor (name, position) VALUES ('ceiling', $1)
ON CONFLICT (name) DO UPDATE SET position = excluded.position"""

# --- rendering ------------------------------------------------------------------------------------


def timestamp(moment: datetime | None) -> str:
    if moment is None:
        return ""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def boolean(value: bool) -> str:
    return "true" if value else "false"


def reason_lines(reason: Row, *, listed: bool) -> list[str]:
    """The children of a `<ReasonCode>`, in a list or in a Media."""
    pk = reason["id"] if listed else reason["reason_id"]
    uri = f"<uri>/finesse/api/ReasonCode/{pk}</uri>"
    category = f"<category>{reason['category']}</category>"
    code = f"<code>{reason['code']}</code>"
    label = f"<label>{escape(reason['label'])}</label>"
    for_all = f"<forAll>{boolean(reason['for_all'])}</forAll>"
    if listed:
        system = f"<systemCode>{boolean(reason['system_code'])}</systemCode>"
        return [uri, f"<id>{pk}</id>", category, code, label, for_all, system]
    return [category, code, for_all, f"<id>{pk}</id>", label, uri]


def media_lines(shown: Row, state: str, at: datetime | None, reason: Row | None) -> list[str]:
    """The children of the `<Media>` of a signed-in user, as the service renders them."""
    lines = [
        f"<uri>/finesse/api/User/{shown['user_id']}/Media/{shown['mrd_id']}</uri>",
        f"<description>{escape(shown['description'])}</description>",
        f"<dialogLogoutAction>{shown['dialog_logout_action']}</dialogLogoutAction>",
        f"<id>{shown['mrd_id']}</id>",
        f"<interruptible>{boolean(shown['interruptible'])}</interruptible>",
        f"<maxDialogLimit>{shown['max_dialog_limit']}</maxDialogLimit>",
        f"<name>{escape(shown['name'])}</name>",
    ]
    if reason is not None:
        embedded = reason_lines(reason, listed=False)
        lines += ["<ReasonCode>", *(f"  {line}" for line in embedded), "</ReasonCode>"]
    return [
        *lines,
        f"<reasonCodeId>{-1 if reason is None else reason['reason_id']}</reasonCodeId>",
        f"<routable>{boolean(state == 'READY')}</routable>",
        f"<state>{state}</state>",
        f"<stateChangeTime>{timestamp(at)}</stateChangeTime>",
        f"<interruptAction>{shown['interrupt_action']}</interruptAction>",
    ]


def document(root: str, lines: Iterable[str], attributes: str = "") -> bytes:
    inside = "".join(f"  {line}\n" for line in lines)
    return f"<{root}{attributes}>\n{inside}</{root}>\n".encode()


# --- HTTP -----------------------------------------------------------------------------------------


class Refused(Exception):  # noqa: N818 (an answer, not a fault)
    """A request is refused with this status."""


class Http:
    """The ASGI application. It connects to the database and Redis at the first request."""

    def __init__(self) -> None:
        self._pool: asyncpg.Pool[Any] | None = None
        self._redis: Redis | None = None
        self._connecting = asyncio.Lock()
        self._remembered: dict[str, float] = {}
        """When each checked password has to be checked again, in seconds since the epoch."""
        self._seen_in_service = float("-inf")

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        try:
            status, body = await self._answer(scope, receive)
        except Refused as refused:
            status, body = refused.args[0], b""
        headers = [
            (b"content-type", b"application/xml; charset=utf-8"),
            (b"content-length", str(len(body)).encode()),
        ]
        if status == 202:
            headers.append((b"requestid", dict(scope["headers"]).get(b"requestid", b"")))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _answer(self, scope: dict[str, Any], receive: Receive) -> tuple[int, bytes]:
        pool, redis = await self._connected()
        headers = dict(scope["headers"])
        _, _, _, _, login_id, resource, *more = f"{scope['path']}//".split("/")
        async with pool.acquire() as database:
            user = await self._user(database, redis, headers.get(b"authorization", b""), login_id)
            if scope["method"] == "PUT":
                body = (await receive())["body"]
                await accept(database, login_id, int(more[0]), headers, user["team_id"], body)
            elif resource == "ReasonCodes":
                return 200, await reason_code_list(database, user["team_id"])
            else:
                media = await database.fetchrow(MEDIA, login_id, int(more[0]))
                if media is None:
                    raise Refused(404)
                reason = media if media["reason_id"] else None
                lines = media_lines(media, media["state"], media["state_change_time"], reason)
                return 200, document("Media", lines)
        if await redis.set(BELL, 1, px=BELL_MILLISECONDS, nx=True):
            await redis.rpush(RUNG, 1)
        return 202, b""

    async def _user(self, database: Any, redis: Redis, given: bytes, login_id: str) -> Row:
        """The caller, if the path is its own, the password right, the user not blocked, and the
        service in service. Raises Refused."""
        name, _, password = base64.b64decode(given[6:]).decode().partition(":")
        user: Row | None = await database.fetchrow(USER, name)
        key = verified_key(name, password, user["password"] if user else "")
        await self._in_service(redis)
        if user is None or name != login_id or not user["is_active"]:
            raise Refused(401)
        if user["sign_in_failed"] or self._remembered.get(key, 0) <= time.time():
            known, failures = await redis.mget([key, f"{key}:failures"])
            if failures or not (known or is_right(password, user["password"])):
                raise Refused(401)
            until = float(known or time.time() + PASSWORD_CACHE_SECONDS)
            await redis.set(key, until, exat=int(until))
            self._remembered[key] = until
        return user

    async def _in_service(self, redis: Redis) -> None:
        now = time.monotonic()
        if now - self._seen_in_service < IN_SERVICE_CACHE_SECONDS:
            return
        beat = await redis.get(HEARTBEAT)
        if beat is None or time.time() - float(beat) > HEARTBEAT_SECONDS:
            raise Refused(503)
        self._seen_in_service = now

    async def _connected(self) -> "tuple[asyncpg.Pool[Any], Redis]":
        if self._pool is None or self._redis is None:
            async with self._connecting:
                self._redis = self._redis or Redis.from_url(os.environ["REDIS_URL"])
                self._pool = self._pool or await asyncpg.create_pool(
                    os.environ["DATABASE_URL"],
                    min_size=DATABASE_CONNECTIONS,
                    max_size=DATABASE_CONNECTIONS,
                    reset=_leave_as_it_is,
                )
        return self._pool, self._redis


async def _leave_as_it_is(connection: Any) -> None:
    """Nothing here changes a connection; a reset would be one more statement for each request."""


def verified_key(login_id: str, password: str, stored: str) -> str:
    secrets = f"{login_id}\0{password}\0{stored}".encode()
    return f"{INSTANCE}:ceiling:{hmac.digest(SECRET, secrets, 'sha256').hex()}"


def is_right(password: str, stored: str) -> bool:
    _, salt, digest = stored.split("$")
    return hmac.compare_digest(digest, hashlib.md5((salt + password).encode()).hexdigest())


async def accept(
    database: Any, login_id: str, mrd_id: int, headers: Any, team: int | None, body: bytes
) -> None:
    if len(body) > 65536 or b"<!" in body:
        raise Refused(400)
    try:
        wanted = {child.tag: child.text or "" for child in fromstring(body.decode())}
    except (ParseError, ValueError):
        raise Refused(400) from None
    state, reason = wanted.get("state", ""), wanted.get("reasonCodeId", "")
    if state not in STATES or (state == "READY") == bool(reason):
        raise Refused(400)
    now = await database.fetchval(STATE, login_id, mrd_id)
    if now is None or now == "LOGOUT":
        raise Refused(400)
    reason_id = int(reason) if reason else None
    if reason_id and not await database.fetchval(REASON, team, reason_id):
        raise Refused(400)
    request_id = headers.get(b"requestid", b"").decode()
    accepted_at = datetime.now(UTC)
    await database.execute(ACCEPT, login_id, mrd_id, state, reason_id, request_id, accepted_at)


async def reason_code_list(database: Any, team: int | None) -> bytes:
    lines: list[str] = []
    for one in await database.fetch(REASONS, team):
        listed = reason_lines(one, listed=True)
        lines += ["<ReasonCode>", *(f"  {line}" for line in listed), "</ReasonCode>"]
    return document("ReasonCodes", lines, ' category="NOT_READY"')


http = Http()

# --- applying -------------------------------------------------------------------------------------


async def apply() -> None:
    """For ever: wait for the bell, or a second, then apply and publish the pending requests."""
    database = await asyncpg.connect(os.environ["DATABASE_URL"])
    redis = Redis.from_url(os.environ["REDIS_URL"])
    while True:
        await redis.blpop([RUNG], timeout=1)
        await redis.delete(BELL)
        while await apply_batch(database, redis) == BATCH_SIZE:
            pass
        await redis.set(HEARTBEAT, time.time())


async def drain(*, publishing: bool) -> None:
    """Apply all pending requests, and print their number and the duration."""
    database = await asyncpg.connect(os.environ["DATABASE_URL"])
    redis = Redis.from_url(os.environ["REDIS_URL"]) if publishing else None
    applied, began, cpu = 0, time.perf_counter(), time.process_time()
    while size := await apply_batch(database, redis):
        applied += size
    took, cpu = time.perf_counter() - began, time.process_time() - cpu
    print(json.dumps({"requests": applied, "seconds": took, "cpu": cpu}))


class _FirstId:
    """The id at which a batch starts to look for pending requests, past what earlier batches left
    in the index. It is the first id of some batches ago, since ids are given before their rows are
    committed. A row that is committed later still is lost, which ours must not do."""

    def __init__(self) -> None:
        self._lowest: deque[int] = deque([0], maxlen=25)

    def begin(self) -> int:
        return self._lowest[0]

    def seen(self, requests: Sequence[Row]) -> None:
        if requests:
            self._lowest.append(requests[0]["id"])


_first_id = _FirstId()


async def apply_batch(database: Any, redis: Redis | None) -> int:
    """Apply up to BATCH_SIZE requests, then publish their notifications; returns their number."""
    async with database.transaction():
        head = await database.fetchval(HEAD)
        requests = await database.fetch(PENDING, _first_id.begin())
        _first_id.seen(requests)
        notifications = await _apply(database, head, requests) if requests else []
    if notifications and redis is not None:
        await redis.publish(PUBLISHED, json.dumps(notifications))
        await database.execute(CURSOR, notifications[-1][0])
    return len(requests)


async def _apply(database: Any, head: int, requests: Sequence[Row]) -> list[tuple[int, str, str]]:
    keys = {(one["login_id"], one["mrd_id"]) for one in requests}
    found = await database.fetch(MEDIA_OF_MANY, *_columns(keys, 2))
    media = {(one["user_id"], one["mrd_id"]): one for one in found}
    now = datetime.now(UTC)
    states = {key: (one["state"], one["reason_code_id"]) for key, one in media.items()}
    changed: dict[int, tuple[int, str, int | None]] = {}
    intervals: dict[tuple[str, int], list[list[Any]]] = defaultdict(list)
    outcomes: list[tuple[int, str, int | None]] = []
    rows: list[tuple[int, str, str, str, str]] = []
    notifications: list[tuple[int, str, str]] = []
    for request in requests:
        key = request["login_id"], request["mrd_id"]
        after = request["requested"], request["reason_id"]
        if states[key] == after:
            outcomes.append((request["id"], "ignored", None))
            continue
        head, states[key], shown = head + 1, after, media[key]
        reason = request if request["reason_id"] else None
        changed[shown["id"]] = shown["id"], *after
        for earlier in intervals[key]:
            earlier[-1] = True
        opened = [*key, *after, request["code"], request["label"] or "", request["cause"]]
        intervals[key].append([*opened, request["actor"], False])
        outcomes.append((request["id"], "changed", head))
        node = f"/finesse/api/User/{key[0]}/Media"
        source = f"{node}/{key[1]}"
        lines = "".join(line.strip() for line in media_lines(shown, after[0], now, reason))
        update = (
            f"<Update><data><Media>{lines}</Media></data><event>PUT</event><requestId>"
            f"{escape(request['request_id'])}</requestId><source>{source}</source></Update>"
        )
        rows.append((head, node, source, request["request_id"], update))
        frame = {
            "type": "notification",
            "position": head,
            "node": node,
            "source": source,
            "event": "PUT",
            "requestId": request["request_id"] or None,
            "at": timestamp(now),
            "update": update,
        }
        notifications.append((head, key[0], json.dumps(frame)))
    if rows:
        opened_intervals = [one for of_media in intervals.values() for one in of_media]
        await database.execute(CHANGE, *_columns(changed.values(), 3), now)
        await database.execute(CLOSE, *_columns(intervals, 2), now)
        await database.execute(OPEN, *_columns(opened_intervals, 9), now)
        await database.execute(APPEND, *_columns(rows, 5), now)
        await database.execute(GROW, head)
    await database.execute(CONCLUDE, *_columns(outcomes, 3), now)
    return notifications


def _columns(rows: Iterable[Sequence[Any]], width: int) -> list[list[Any]]:
    columns: list[list[Any]] = [[] for _ in range(width)]
    for row in rows:
        for column, value in zip(columns, row, strict=True):
            column.append(value)
    return columns


# --- sockets --------------------------------------------------------------------------------------


class Sockets:
    """Forwards each notification to the sockets of its user, of the supervisors and of the
    administrators. Access is read once, when a socket opens."""

    WATCHED = """SELECT u.login_id, v.is_superuser FROM users_user v
    LEFT JOIN users_team_supervisors s ON s.user_id = v.login_id
    LEFT JOIN users_user u ON u.team_id = s.team_id WHERE v.login_id = $1"""

    def __init__(self) -> None:
        self._of_user: dict[str, set[ServerConnection]] = defaultdict(set)
        self._of_all: set[ServerConnection] = set()
        self._everybody: set[ServerConnection] = set()

    async def run(self, port: int) -> None:
        self._pool = await asyncpg.create_pool(os.environ["DATABASE_URL"], min_size=2, max_size=4)
        redis = Redis.from_url(os.environ["REDIS_URL"], socket_timeout=None)
        hearing = redis.pubsub()
        await hearing.subscribe(PUBLISHED)
        async with serve(
            self._serve, "127.0.0.1", port, compression=None, backlog=2048, ping_interval=None
        ):
            async for message in hearing.listen():
                if message["type"] == "message":
                    for _, login_id, frame in json.loads(message["data"]):
                        self._forward(login_id, frame)

    def _forward(self, login_id: str, frame: str) -> None:
        if login_id == EVERYBODY:
            broadcast(self._everybody, frame)
        else:
            broadcast(self._of_user.get(login_id, ()), frame)
            broadcast(self._of_all, frame)

    async def _serve(self, socket: ServerConnection) -> None:
        request = socket.request
        assert isinstance(request, Request)
        given = base64.b64decode(request.headers["Authorization"][6:]).decode()
        name, _, password = given.partition(":")
        user = await self._pool.fetchrow(USER, name)
        if user is None or not is_right(password, user["password"]):
            return
        watched = await self._pool.fetch(self.WATCHED, name)
        sees = {name, *(one["login_id"] for one in watched if one["login_id"])}
        groups = [self._everybody, *(self._of_user[login_id] for login_id in sees)]
        if watched[0]["is_superuser"]:
            groups = [self._everybody, self._of_all]
        await socket.recv()
        for group in groups:
            group.add(socket)
        try:
            await socket.send('{"type": "subscribed", "position": 0, "resume": "live"}')
            await socket.wait_closed()
        finally:
            for group in groups:
                group.discard(socket)


def main() -> None:
    program, *arguments = sys.argv[1:]
    match program:
        case "apply":
            asyncio.run(apply())
        case "drain":
            asyncio.run(drain(publishing="--publish" in arguments))
        case "sockets":
            asyncio.run(Sockets().run(int(arguments[0])))
        case _:
            raise SystemExit(f"There is no program {program}: apply, drain or sockets")


if __name__ == "__main__":
    main()
