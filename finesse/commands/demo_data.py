"""The demo's people, MRDs and reason codes. Loading them again changes nothing."""

import logging
from typing import Any

from django.contrib.auth.hashers import make_password
from django.core.exceptions import ValidationError
from django.core.management.color import no_style
from django.db import IntegrityError, connection, transaction
from django.db.models import Model

from finesse.commands import demo_history
from finesse.users.models import Team, User
from media.break_tables import BreakRule, WhenFull
from media.models import Cause, InterruptAction, Media, MediaRoutingDomain, StateInterval
from media.states import Options, Requested
from media.writing.acceptance import accept
from media.writing.requests import new_request
from media.writing.writer import apply_pending
from reasoncodes.colours import PALETTE
from reasoncodes.models import Category, ReasonCode

logger = logging.getLogger(__name__)

TEAMS = {1: "Chat", 2: "Back office"}
AGENTS = {
    # login id: first name, last name, team, MRDs
    "1234": ("Ana", "Lima", 1, (5000, 5001)),
    "1235": ("Ben", "Okoro", 1, (5000, 5001)),
    "1236": ("Eva", "Novak", 1, (5000, 5001)),
    "1237": ("Farid", "Haddad", 1, (5000,)),
    "1238": ("Gina", "Rossi", 1, (5001,)),
    "1300": ("Chi", "Wong", 2, (5002,)),
    "1301": ("Hugo", "Blom", 2, (5002,)),
    "1302": ("Ines", "Costa", 2, (5002,)),
}
SUPERVISORS = {
    # login id: first name, last name, teams
    "2001": ("Dana", "Ruiz", (1,)),
    "2002": ("Sam", "Weber", (1, 2)),
}
MRDS = {
    # id: name, description, interruptible
    5000: ("Chat", "Chat conversations", True),
    5001: ("Email", "E-mails from customers", True),
    5002: ("Tasks", "Back office tasks", False),
}
REASON_CODES = {
    # database id: category, code, label, the one team that it is for (None: every team)
    1001: (Category.NOT_READY, 1, "Lunch", None),
    1002: (Category.NOT_READY, 2, "Team meeting", None),
    1003: (Category.NOT_READY, 3, "Coaching", 1),
    1004: (Category.NOT_READY, 4, "Filing", 2),
    1005: (Category.NOT_READY, 5, "Break", None),
    1006: (Category.NOT_READY, 6, "Course", None),
    2001: (Category.LOGOUT, 1, "End of shift", None),
    2002: (Category.LOGOUT, 2, "Sick", None),
}
MEANINGS: dict[int, dict[str, Any]] = {
    1001: {
        "description": "The long break of the day, once",
        "translations": {"de": "Mittagspause", "es": "Almuerzo", "fr": "Déjeuner"},
        "colour": PALETTE["Amber"],
        "productive": False,
        "maximum_minutes": 45,
        "warning_minutes": 5,
    },
    1002: {
        "translations": {"de": "Teambesprechung", "es": "Reunión de equipo", "fr": "Réunion"},
        "colour": PALETTE["Blue"],
        "productive": True,
        "maximum_minutes": 60,
    },
    1003: {
        "description": "With your supervisor",
        "translations": {"de": "Coaching", "es": "Formación individual"},
        "colour": PALETTE["Purple"],
        "productive": True,
    },
    1004: {
        "description": "Papers of closed cases",
        "translations": {"de": "Ablage"},
        "colour": PALETTE["Teal"],
        "productive": True,
    },
    1005: {
        "description": "A few minutes away from the screen",
        "translations": {"de": "Pause", "es": "Descanso", "fr": "Pause"},
        "colour": PALETTE["Green"],
        "productive": False,
        "maximum_minutes": 15,
        "warning_minutes": 3,
    },
    1006: {
        "translations": {"de": "Schulung", "es": "Curso", "fr": "Formation"},
        "colour": PALETTE["Olive"],
        "productive": True,
    },
}
"""What these reason codes mean, by their database ids."""
BREAK_RULE: dict[str, Any] = {
    "reason_code_id": 1003,
    "team_id": 1,
    "most_at_once": 2,
    "when_full": WhenFull.QUEUE,
}
SIGNED_IN = {
    # login id, MRD: the reason code that the agent is NOT_READY for; None for READY
    ("1234", 5001): None,
    ("1237", 5000): None,
    ("1238", 5001): 1005,
    ("1301", 5002): 1004,
}


def load(password: str) -> None:
    """Create what is missing, users with this password; leave what is there as it is.

    What cannot be made, because another row has its name or number, is left out.
    """
    password = make_password(password)
    for pk, name in TEAMS.items():
        _made(Team, pk, name=name)
    _load_people(password)
    for pk, (name, description, interruptible) in MRDS.items():
        _made(
            MediaRoutingDomain, pk, name=name, description=description, interruptible=interruptible
        )
    for reason_code_id in REASON_CODES:
        _load_reason_code(reason_code_id)
    _load_memberships()
    _let_new_ids_follow()


def _load_people(password: str) -> None:
    present = {*Team.objects.values_list("pk", flat=True)}
    for login_id, (first, last, team, _) in AGENTS.items():
        named = {"first_name": first, "last_name": last, "password": password}
        _made(User, login_id, team_id=team if team in present else None, **named)
    for login_id, (first, last, teams) in SUPERVISORS.items():
        named = {"first_name": first, "last_name": last, "password": password}
        if _made(User, login_id, is_supervisor=True, **named):
            User.objects.get(pk=login_id).supervised_teams.add(*present.intersection(teams))
    _made(User, "admin", password=password, first_name="Administrator", is_superuser=True)


def _made(model: type[Model], pk: object, **fields: Any) -> bool:
    """Whether it was made now: not if it is there, or if it is refused."""
    try:
        with transaction.atomic():
            return bool(model._default_manager.get_or_create(pk=pk, defaults=fields)[1])
    except (ValidationError, IntegrityError):
        name = model._meta.verbose_name
        logger.warning("The demo's %s %s is left out: another one has its name or number", name, pk)
        return False


def _load_reason_code(pk: int) -> None:
    category, code, label, only_team = REASON_CODES[pk]
    fields = {
        "category": category,
        "code": code,
        "label": label,
        "for_all": only_team is None,
        **MEANINGS.get(pk, {}),
    }
    if not _made(ReasonCode, pk, **fields):
        return
    team = Team.objects.filter(pk=only_team).first() if only_team else None
    if team:
        ReasonCode.objects.get(pk=pk).teams.add(team)
    if team and pk == BREAK_RULE["reason_code_id"]:
        BreakRule.objects.create(**BREAK_RULE)


def _load_memberships() -> None:
    """Agents that become members for the first time have been at work for a week already."""
    users = {*User.objects.values_list("pk", flat=True)}
    present = {*MediaRoutingDomain.objects.values_list("pk", flat=True)}
    new = [
        (login_id, mrd)
        for login_id, (_, _, _, mrds) in AGENTS.items()
        for mrd in mrds
        if login_id in users
        and mrd in present
        and Media.objects.get_or_create(user_id=login_id, mrd_id=mrd)[1]
    ]
    worked = StateInterval.objects.filter(cause=Cause.SELF)
    known = {*worked.values_list("login_id", "mrd_id").distinct()}
    first = [key for key in new if key not in known]
    if first:
        teams = {login_id: team for login_id, (_, _, team, _) in AGENTS.items()}
        demo_history.write([(login_id, mrd, _offered(teams[login_id])) for login_id, mrd in first])
    for (login_id, mrd), reason_code_id in SIGNED_IN.items():
        if (login_id, mrd) in new:
            _sign_in(login_id, mrd, reason_code_id)
    # Here, since no worker need be running when the demo is loaded.
    while apply_pending():
        pass


def _offered(team: int) -> list[int]:
    return [pk for pk, (*_, only_team) in REASON_CODES.items() if only_team in (None, team)]


def _sign_in(login_id: str, mrd: int, reason_code_id: int | None) -> None:
    """An agent is at work already when the demo opens."""
    options = Options(max_dialog_limit=5, interrupt_action=InterruptAction.ACCEPT)
    usable = ReasonCode.objects.filter(retired=False)
    reason_code = usable.filter(pk=reason_code_id).first() if reason_code_id else None
    state = Requested.NOT_READY if reason_code else Requested.READY
    accept(
        [
            new_request(login_id, mrd, Requested.LOGIN, options=options, cause=Cause.SYSTEM),
            new_request(login_id, mrd, state, reason_code=reason_code, cause=Cause.SYSTEM),
        ]
    )


def _let_new_ids_follow() -> None:
    """PostgreSQL's sequences know nothing of ids that were given: start them behind."""
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), [Team, ReasonCode]):
            cursor.execute(statement)
