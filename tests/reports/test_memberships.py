"""In which team a user was, and when: whatever has changed the team."""

from itertools import pairwise

import pytest
from django.utils import timezone

from finesse.users.models import Team, TeamMembership, User
from finesse.users.team_history import BEGINNING, record_all
from media.people.columns import REQUIRED
from tests.conftest import Cast
from tests.kit.import_pages import confirm, upload

pytestmark = pytest.mark.django_db
IMPORT = "/admin/users/user/import/"


def history(login_id: str) -> list[str]:
    """The names of the teams, one after another; the times must follow on one another."""
    rows = [*TeamMembership.objects.filter(login_id=login_id).order_by("started_at", "id")]
    for row, following in pairwise(rows):
        assert row.ended_at is not None
        assert row.ended_at <= following.started_at
    return [row.team_name or "none" for row in rows]


def is_open(login_id: str) -> bool:
    return TeamMembership.objects.filter(login_id=login_id, ended_at=None).exists()


def move(user: User, team: Team | None) -> None:
    user.team = team
    user.save()


def test_a_user_is_in_the_first_team_from_the_beginning(cast: Cast) -> None:
    assert history("alice") == ["Chat"]
    assert TeamMembership.objects.get(login_id="alice").started_at == BEGINNING
    assert history("carol") == ["none"]


def test_who_moves_is_in_the_new_team_from_then_on(cast: Cast) -> None:
    before = timezone.now()
    move(cast.alice, cast.bob.team)
    move(cast.alice, None)
    move(cast.alice, None)
    assert history("alice") == ["Chat", "Back office", "none"]
    back_office = TeamMembership.objects.get(login_id="alice", team_name="Back office")
    assert before <= back_office.started_at <= timezone.now()


def test_saving_something_else_writes_nothing(cast: Cast) -> None:
    cast.alice.last_name = "Adams"
    cast.alice.save()
    cast.alice.save(update_fields=["last_name"])
    assert history("alice") == ["Chat"]


def test_a_deleted_user_has_left_and_may_come_again(cast: Cast) -> None:
    cast.alice.delete()
    assert history("alice") == ["Chat"]
    assert not is_open("alice")
    User.objects.create_user("alice", first_name="Alice", team=cast.bob.team)
    assert history("alice") == ["Chat", "Back office"]


def test_a_renamed_team_is_called_so_in_the_past_too(cast: Cast) -> None:
    team = Team.objects.get(name="Chat")
    move(cast.alice, cast.bob.team)
    team.name = "Chats"
    team.save()
    assert history("alice") == ["Chats", "Back office"]


def test_the_members_of_a_deleted_team_are_in_none(cast: Cast) -> None:
    Team.objects.filter(name="Chat").delete()
    assert history("alice") == ["Chat", "none"]


def test_an_import_moves_and_adds_people(cast: Cast) -> None:
    head = ",".join([*REQUIRED, "team"])
    rows = f"{head}\nalice,Alice,Back office\nzoe,Zoe,Chat\n"
    confirm(IMPORT, *upload(IMPORT, "dave", rows, "people.csv"))
    assert history("alice") == ["Chat", "Back office"]
    assert history("zoe") == ["Chat"]


def test_what_a_statement_has_changed_is_found_by_the_worker(cast: Cast) -> None:
    User.objects.filter(pk="alice").update(team=cast.bob.team)
    User.objects.filter(pk="bob").update(team=None)
    User.objects.bulk_create([User(pk="eve", first_name="Eve", team=cast.bob.team)])
    TeamMembership.objects.create(login_id="gone", started_at=BEGINNING)
    record_all()
    assert history("alice") == ["Chat", "Back office"]
    assert history("bob") == ["Back office", "none"]
    assert history("eve") == ["Back office"]
    assert not is_open("gone")
    before = TeamMembership.objects.count()
    record_all()
    assert TeamMembership.objects.count() == before
