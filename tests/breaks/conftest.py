"""A team that is signed in, and what its agents ask for."""

from typing import Any

import pytest

from finesse.users.models import Team, User
from media.models import Cause, Media, MediaRequest
from media.states import Requested
from media.writing.requests import new_request
from reasoncodes.models import ReasonCode
from tests.conftest import PASSWORD


@pytest.fixture
def lunch(codes: dict[str, ReasonCode]) -> ReasonCode:
    return codes["Lunch"]


@pytest.fixture
def chat(lunch: ReasonCode) -> Team:
    """alice, anna and axel, signed in to Email; alice to Chat, too."""
    team = Team.objects.get(name="Chat")
    for login_id in ("anna", "axel"):
        user = User.objects.create_user(login_id, PASSWORD, first_name=login_id, team=team)
        Media.objects.create(user=user, mrd_id=5001)
    Media.objects.filter(user__team=team).update(
        state="READY",
        max_dialog_limit=5,
        interrupt_action="ACCEPT",
        dialog_logout_action="CLOSE",
        routable=True,
    )
    return team


def asks(login_id: str, reason: ReasonCode, *, mrd: int = 5001, **options: Any) -> MediaRequest:
    """An accepted request, as if the early look had found a place."""
    fields = {"cause": Cause.SELF, "actor": login_id, "reason_code": reason, **options}
    request = new_request(login_id, mrd, Requested.NOT_READY, **fields)
    request.save()
    return request


def in_reason(reason: ReasonCode) -> list[tuple[str, int]]:
    there = Media.objects.filter(state="NOT_READY", reason_code=reason)
    return list(there.order_by("user", "mrd").values_list("user", "mrd"))
