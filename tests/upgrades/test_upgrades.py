"""Databases of all former versions become those of this one, and the service goes on with them.

Each was made and filled by the code of its version (tests.upgrades.keep), requests that are still
pending among it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any
from xml.etree.ElementTree import Element

import pytest
from defusedxml.ElementTree import fromstring
from django.core.management import call_command
from django.db import connection
from django.db.migrations.loader import MigrationLoader

from finesse.api import errors
from finesse.notifications import log
from finesse.notifications.models import Notification, TransportCursor
from finesse.notifications.publisher import publish_all
from media.models import VOICE_MRD, Desktop, Media, MediaRequest, Outcome, StateInterval
from media.states import (
    DesktopSession,
    MediaSession,
    State,
    decide,
    decide_session,
)
from media.writing.mapping import change_of, desktop_session_of, media_session_of
from media.writing.writer import apply_pending
from tests.conftest import API, PASSWORD, update_of
from tests.upgrades import kept
from tests.upgrades.kept import Rows

FORMER_ERRORS = {"The user's current state does not allow this state": "CF_INVALID_OBJECT_STATE"}
"""Words in which former versions have stored an error, and those of now."""


@dataclass
class Upgraded:
    """A database that was migrated, and whose pending requests were applied then."""

    former: dict[str, Rows]
    migrated: dict[str, Rows]
    applied: int
    """How many requests had an outcome before the upgrade."""


@pytest.fixture(scope="module")
def newest_schema(
    tmp_path_factory: pytest.TempPathFactory, django_db_blocker: Any
) -> dict[str, str]:
    """Of a database that this version's migrations have made from nothing."""
    folder = tmp_path_factory.mktemp("new")
    with django_db_blocker.unblock(), kept.empty_database(folder):
        call_command("migrate", verbosity=0)
        return kept.schema()


@pytest.fixture(scope="module", params=kept.names())
def upgraded(
    request: pytest.FixtureRequest,
    newest_schema: dict[str, str],
    tmp_path_factory: pytest.TempPathFactory,
    django_db_blocker: Any,
) -> Iterator[Upgraded]:
    folder = tmp_path_factory.mktemp("kept")
    with django_db_blocker.unblock(), kept.empty_database(folder):
        kept.write(request.param)
        former = kept.rows()
        call_command("migrate", verbosity=0)
        migrated = kept.rows()
        applied = MediaRequest.objects.filter(outcome__isnull=False).count()
        while apply_pending():
            pass
        yield Upgraded(former, migrated, applied)


def test_every_row_and_value_is_kept(upgraded: Upgraded) -> None:
    lost = {
        table: {
            key: row for key, row in before.items() if not row.items() <= now.get(key, {}).items()
        }
        for table, before in upgraded.former.items()
        if (now := upgraded.migrated.get(table, {})) is not None
    }
    assert {table: rows for table, rows in lost.items() if rows} == {}


def test_the_schema_is_that_of_a_new_database(
    upgraded: Upgraded, newest_schema: dict[str, str]
) -> None:
    assert kept.schema() == newest_schema


def test_each_pending_request_gets_its_outcome_from_the_new_writer(upgraded: Upgraded) -> None:
    requests = MediaRequest.objects.order_by("id")
    ended = [
        (one.login_id, one.mrd_id, one.requested, one.outcome, one.error)
        for one in requests[upgraded.applied :]
    ]
    assert ended[:6] == [
        ("ana", 5000, "READY", "changed", ""),
        ("ana", 5001, "LOGOUT", "changed", ""),
        ("ben", 5002, "LOGIN", "changed", ""),
        ("ben", 5002, "NOT_READY", "changed", ""),
        ("nobody", 5000, "READY", "error", "E_ARM_STAT_AGENT_NOT_FOUND"),
        ("ana", 5000, "READY", "ignored", ""),
    ]
    of_desktops = [
        ("cy", 5000, "NOT_READY", "changed", ""),
        ("ana", None, "READY", "changed", ""),
        ("ben", None, "NOT_READY", "error", "CF_INVALID_PASSWORD_SPECIFIED"),
    ]
    assert ended[6:] in ([], of_desktops)


def test_the_log_goes_on_where_it_was(upgraded: Upgraded) -> None:
    notifications = Notification.objects.order_by("position")
    positions = list(notifications.values_list("position", flat=True))
    before = len(upgraded.former["notifications_notification"])
    assert positions == list(range(1, log.head().position + 1))
    assert len(positions) > before > 0
    of_requests = MediaRequest.objects.filter(position__isnull=False)
    for one in of_requests:
        notification = notifications.get(pk=one.position)
        assert f"/User/{one.login_id}" in notification.source


def test_intervals_touch_and_the_last_one_is_the_state(upgraded: Upgraded) -> None:
    by_subject: dict[tuple[str, int], list[StateInterval]] = {}
    for interval in StateInterval.objects.order_by("id"):
        by_subject.setdefault((interval.login_id, interval.mrd_id), []).append(interval)
    for intervals in by_subject.values():
        assert all(one.ended_at == following.started_at for one, following in pairwise(intervals))
    last = {
        # A sign-out has a reason in the history only.
        key: (one.state, one.state != State.LOGOUT and one.reason_code_id, one.started_at)
        for key, (*_, one) in by_subject.items()
        if one.ended_at is None
    }
    subjects = {
        **{(media.user_id, media.mrd_id): media for media in Media.objects.all()},
        **{(desktop.user_id, VOICE_MRD): desktop for desktop in Desktop.objects.all()},
    }
    assert last == {
        key: (one.state, one.state != State.LOGOUT and one.reason_code_id, one.state_change_time)
        for key, one in subjects.items()
        if one.state_change_time
    }


def test_the_tables_of_now_give_the_stored_outcomes(upgraded: Upgraded) -> None:
    """Of every request, from the first one on; and at the end the states that are stored."""
    media = {(one.user_id, one.mrd_id): one for one in Media.objects.all()}
    sessions = {key: MediaSession(state=State.LOGOUT) for key in media}
    users = {key[0] for key in media}
    desktops = {user: DesktopSession(state=State.LOGOUT) for user in users}
    for request in MediaRequest.objects.select_related("reason_code").order_by("id"):
        key = (request.login_id, request.mrd_id)
        decision: Any
        if request.mrd_id is None:
            before: Any = desktops[request.login_id]
            decision = decide_session(before, change_of(request))
            desktops[request.login_id] = decision.session
        elif key in media:
            before = sessions[key]
            decision = decide(before, change_of(request))
            sessions[key] = decision.session
        else:
            assert request.outcome == Outcome.ERROR, request
            continue
        if decision.error:
            error = errors.TABLE[decision.error]().later_message
            stored = FORMER_ERRORS.get(request.error, request.error)
            assert (request.outcome, stored) == (Outcome.ERROR, error), request
        else:
            changed = decision.session != before
            expected = Outcome.CHANGED if changed else Outcome.IGNORED
            assert (request.outcome, request.error) == (expected, ""), request
    assert sessions == {key: media_session_of(one) for key, one in media.items()}
    of_desktops = {one.user_id: desktop_session_of(one) for one in Desktop.objects.all()}
    assert {user: desktops[user] for user in of_desktops} == of_desktops


def test_a_client_reads_what_the_writer_has_published(upgraded: Upgraded, api: API) -> None:
    for media in Media.objects.all():
        answer = api.get(
            user=media.user_id, mrd=media.mrd_id, login=media.user_id, password=PASSWORD
        )
        assert answer.status_code == 200
        of_media = Notification.objects.filter(source=media.uri).order_by("position")
        published = update_of(of_media.filter(update__contains="<Media>").latest("position"))
        element = published.find("data/Media")
        assert element is not None
        assert _leaves(fromstring(answer.content)) == _leaves(element)


def _leaves(element: Element) -> dict[str, str]:
    return {child.tag: (child.text or "").strip() for child in element.iter()}


def test_what_was_not_handed_over_is(upgraded: Upgraded, own_layer: None) -> None:
    publish_all()
    assert {cursor.position for cursor in TransportCursor.objects.all()} == {log.head().position}


def test_the_newest_database_that_is_kept_has_all_migrations(
    tmp_path: Any, django_db_blocker: Any
) -> None:
    """If not: commit the migration, then `python -m tests.upgrades.keep`, and commit its files."""
    with django_db_blocker.unblock(), kept.empty_database(tmp_path):
        kept.write(kept.names()[-1])
        loader = MigrationLoader(connection)
        assert {*loader.graph.nodes} - {*loader.applied_migrations} == set()
