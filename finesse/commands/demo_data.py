"""The demo's people, MRDs and reason codes. Loading them again changes nothing."""

from typing import Any

from django.contrib.auth.hashers import make_password
from django.core.management.color import no_style
from django.db import connection

from finesse.users.models import Team, User
from media.models import Cause, InterruptAction, Media, MediaRoutingDomain
from media.states import Options, Requested
from media.writing.acceptance import accept
from media.writing.requests import new_request
from media.writing.writer import apply_pending
from reasoncodes.models import Category, ReasonCode

TEAMS = {1: "Chat", 2: "Back office"}
AGENTS = {
    # login id: first name, last name, team
    "1234": ("Ana", "Lima", 1),
    "1235": ("Ben", "Okoro", 1),
    "1300": ("Chi", "Wong", 2),
}
MRDS = {
    # id: name, description, interruptible
    5000: ("Chat", "Chat conversations", True),
    5001: ("Email", "E-mails from customers", True),
    5002: ("Tasks", "Back office tasks", False),
}
MEMBERSHIPS = [("1234", 5000), ("1234", 5001), ("1235", 5000), ("1235", 5001), ("1300", 5002)]
REASON_CODES = {
    # database id: category, code, label, the one team that it is for (None: every team)
    1001: (Category.NOT_READY, 1, "Lunch", None),
    1002: (Category.NOT_READY, 2, "Team meeting", None),
    1003: (Category.NOT_READY, 3, "Coaching", 1),
    1004: (Category.NOT_READY, 4, "Filing", 2),
    2001: (Category.LOGOUT, 1, "End of shift", None),
}


def load(password: str) -> None:
    """Create what is missing, users with this password; leave what is there as it is."""
    password = make_password(password)
    for pk, name in TEAMS.items():
        Team.objects.get_or_create(pk=pk, defaults={"name": name})
    for login_id, (first, last, team) in AGENTS.items():
        _user(login_id, password, first_name=first, last_name=last, team_id=team)
    if _user("2001", password, first_name="Dana", last_name="Ruiz", is_supervisor=True):
        Team.objects.get(pk=1).supervisors.add(User.objects.get(pk="2001"))
    _user("admin", password, first_name="Administrator", is_superuser=True)
    for pk, (name, description, interruptible) in MRDS.items():
        MediaRoutingDomain.objects.get_or_create(
            pk=pk,
            defaults={"name": name, "description": description, "interruptible": interruptible},
        )
    for reason_code_id, (category, code, label, only_team) in REASON_CODES.items():
        reason_code, created = ReasonCode.objects.get_or_create(
            pk=reason_code_id,
            defaults={
                "category": category,
                "code": code,
                "label": label,
                "for_all": only_team is None,
            },
        )
        if created and only_team:
            reason_code.teams.add(only_team)
    for login_id, mrd in MEMBERSHIPS:
        _, created = Media.objects.get_or_create(user_id=login_id, mrd_id=mrd)
        if created and (login_id, mrd) == ("1234", 5001):
            _start_ready(login_id, mrd)
    _let_new_ids_follow()


def _user(login_id: str, password: str, **fields: Any) -> bool:
    _, created = User.objects.get_or_create(pk=login_id, defaults={"password": password, **fields})
    return created


def _start_ready(login_id: str, mrd: int) -> None:
    """An agent is READY already when the demo opens."""
    options = Options(max_dialog_limit=5, interrupt_action=InterruptAction.ACCEPT)
    accept(
        [
            new_request(login_id, mrd, Requested.LOGIN, options=options, cause=Cause.SYSTEM),
            new_request(login_id, mrd, Requested.READY, cause=Cause.SYSTEM),
        ]
    )
    # Here, since no worker need be running when the demo is loaded.
    apply_pending()


def _let_new_ids_follow() -> None:
    """PostgreSQL's sequences know nothing of ids that were given: start them behind."""
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), [Team, ReasonCode]):
            cursor.execute(statement)
