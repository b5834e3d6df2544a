"""`python -m benchmarks.program populate`: fill the database of the environment with users, one MRD
and old rows. All users have the password `PASSWORD`, and all agents work in the one MRD."""

import argparse
import sys

from django.contrib.auth.hashers import make_password
from django.db import connection, transaction
from django.utils import timezone

from benchmarks.people import (
    ADMINISTRATOR,
    AGENTS_OF_A_TEAM,
    MRD,
    PASSWORD,
    REASON_CODES,
    agent,
    supervisor,
)
from finesse.api.xml import render
from finesse.notifications import log
from finesse.users.models import Team, User
from media.documents.media import represent
from media.models import (
    Cause,
    DialogLogoutAction,
    InterruptAction,
    Media,
    MediaRoutingDomain,
    StateInterval,
)
from media.states import State
from reasoncodes.models import Category, ReasonCode

ORM_INSERT_ROWS = 5_000
SQL_INSERT_ROWS = 250_000
"""Rows of one INSERT … SELECT."""

REQUESTS = """
INSERT INTO media_mediarequest (login_id, mrd_id, requested, reason_code_id, interrupt_action,
  dialog_logout_action, extension, request_id, cause, actor, accepted_at, applied_at, outcome,
  error, position)
SELECT (%(first)s + n %% %(agents)s)::text, %(mrd)s, 'NOT_READY', %(reason)s, '', '', '', 'r-' || n,
  'self', (%(first)s + n %% %(agents)s)::text, now() - interval '1 day', now() - interval '1 day',
  'changed', '', n
FROM generate_series(%(begin)s::bigint, %(end)s::bigint) n
"""
INTERVALS = """
INSERT INTO media_stateinterval (login_id, mrd_id, state, reason_code_id, code, label, started_at,
  ended_at, cause, actor)
SELECT (%(first)s + n %% %(agents)s)::text, %(mrd)s, 'NOT_READY', %(reason)s, 1, 'Reason 1',
  now() - interval '1 day', now() - interval '23 hours', 'self',
  (%(first)s + n %% %(agents)s)::text
FROM generate_series(%(begin)s::bigint, %(end)s::bigint) n
"""
NOTIFICATIONS = """
INSERT INTO notifications_notification (position, node, source, event, request_id, at, update)
SELECT n, '/finesse/api/User/' || login || '/Media', '/finesse/api/User/' || login || '/Media/'
  || %(mrd)s, 'PUT', '', now() - interval '1 day', replace(%(update)s, %(sample)s, login)
FROM (SELECT n, (%(first)s + n %% %(agents)s)::text AS login
  FROM generate_series(%(begin)s::bigint, %(end)s::bigint) n) AS numbered
"""


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def people(agents: int) -> None:
    """Make teams, each with a supervisor, READY agents, an administrator and reason codes."""
    now = timezone.now()
    password = make_password(PASSWORD)
    teams = Team.objects.bulk_create(
        Team(name=f"Team {number}") for number in range(1, 1 + -(-agents // AGENTS_OF_A_TEAM))
    )
    User.objects.bulk_create(
        [
            User(pk=ADMINISTRATOR, first_name="Ada", password=password, is_superuser=True),
            *(
                User(pk=supervisor(number), first_name="Sue", password=password, is_supervisor=True)
                for number in range(len(teams))
            ),
        ]
    )
    for number, team in enumerate(teams):
        team.supervisors.add(User.objects.get(pk=supervisor(number)))
    User.objects.bulk_create(
        (
            User(
                pk=agent(number),
                first_name="Ann",
                last_name=f"Number {number}",
                password=password,
                team=teams[number // AGENTS_OF_A_TEAM],
            )
            for number in range(agents)
        ),
        batch_size=ORM_INSERT_ROWS,
    )
    MediaRoutingDomain.objects.create(
        pk=MRD, name="Chat", description="Chat conversations", interruptible=True
    )
    Media.objects.bulk_create(
        (
            Media(
                user_id=agent(number),
                mrd_id=MRD,
                state=State.READY,
                state_change_time=now,
                routable=True,
                max_dialog_limit=5,
                interrupt_action=InterruptAction.ACCEPT,
                dialog_logout_action=DialogLogoutAction.CLOSE,
            )
            for number in range(agents)
        ),
        batch_size=ORM_INSERT_ROWS,
    )
    StateInterval.objects.bulk_create(
        (
            StateInterval(
                login_id=agent(number),
                mrd_id=MRD,
                state=State.READY,
                started_at=now,
                cause=Cause.SYSTEM,
            )
            for number in range(agents)
        ),
        batch_size=ORM_INSERT_ROWS,
    )
    for number in range(REASON_CODES.stop - REASON_CODES.start):
        # Every fifth is for one team alone, so that the lists of the teams differ.
        of_a_team = number % 5 == 4
        reason_code = ReasonCode.objects.create(
            pk=REASON_CODES.start + number,
            category=Category.NOT_READY,
            code=number + 1,
            label=f"Reason {number + 1}",
            for_all=not of_a_team,
        )
        if of_a_team:
            reason_code.teams.add(teams[number % len(teams)])


def past(agents: int, rows: int) -> None:
    """Insert so many old requests, intervals and notifications: the tables as after months."""
    reason_code = ReasonCode.objects.get(pk=REASON_CODES.start)
    media = Media.objects.select_related("mrd").get(user=agent(0), mrd=MRD)
    media.state, media.reason_code = State.NOT_READY, reason_code
    values: dict[str, str | int] = {
        "first": int(agent(0)),
        "agents": agents,
        "mrd": MRD,
        "reason": reason_code.pk,
        "sample": agent(0),
        "update": render(
            {
                "Update": {
                    "data": {"Media": represent(media)},
                    "event": "PUT",
                    "requestId": "",
                    "source": media.uri,
                }
            }
        ),
    }
    head = log.head().position
    for statement in (REQUESTS, INTERVALS, NOTIFICATIONS):
        for begin in range(1, rows + 1, SQL_INSERT_ROWS):
            piece: dict[str, str | int] = {
                "begin": head + begin,
                "end": head + min(begin + SQL_INSERT_ROWS - 1, rows),
            }
            with connection.cursor() as cursor:
                cursor.execute(statement, values | piece)
            if rows > SQL_INSERT_ROWS:
                table = statement.split()[2]
                say(f"{table}: {min(begin + SQL_INSERT_ROWS - 1, rows):,} of {rows:,} rows")
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE notifications_loghead SET position = %s, check_digits = 0", [head + rows]
        )
        cursor.execute(
            "INSERT INTO notifications_transportcursor (name, position) VALUES ('channels', %s)"
            " ON CONFLICT (name) DO UPDATE SET position = excluded.position, check_digits = 0",
            [head + rows],
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--agents", type=int, required=True)
    parser.add_argument("--rows", type=int, default=0, help="old rows, in each of three tables")
    options = parser.parse_args()
    if not User.objects.exists():
        people(options.agents)
    if options.rows:
        past(options.agents, options.rows)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")
