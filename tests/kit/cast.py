"""Who the tests are about.

alice is an agent of team Chat, bob one of team Back office; carol supervises Chat, dave is the
administrator. MRDs: 5000 Chat and 5001 Email (alice), 5002 Tasks (bob), 1 Voice.
"""

from dataclasses import dataclass
from itertools import count

from django.db import connection

from finesse.users.models import Team, User
from media.models import Media, MediaRoutingDomain
from reasoncodes.models import ReasonCode

PASSWORD = "correct horse"


@dataclass
class Cast:
    alice: User
    bob: User
    carol: User
    dave: User


APART = 100_000
"""Between the ids that the demo gives, those of the cast, and those of later tests."""
_beginnings = count(APART, APART)


def create() -> None:
    skip_ids()
    chat = Team.objects.create(name="Chat")
    back_office = Team.objects.create(name="Back office")
    alice = User.objects.create_user("alice", PASSWORD, first_name="Alice", team=chat)
    bob = User.objects.create_user("bob", PASSWORD, first_name="Bob", team=back_office)
    carol = User.objects.create_user("carol", PASSWORD, first_name="Carol", is_supervisor=True)
    User.objects.create_superuser("dave", PASSWORD, first_name="Dave")
    chat.supervisors.add(carol)
    for pk, name in {5000: "Chat", 5001: "Email", 5002: "Tasks"}.items():
        MediaRoutingDomain.objects.create(pk=pk, name=name, interruptible=pk != 5002)
    for user, mrd in ((alice, 5000), (alice, 5001), (bob, 5002)):
        Media.objects.create(user=user, mrd_id=mrd)


def skip_ids() -> None:
    """Have PostgreSQL's sequences go on far behind: the demo gives ids, and sets the sequences to
    those that follow. A later test would get the id of a row that is written back for each test."""
    if connection.vendor != "postgresql":
        return
    beginning = next(_beginnings)
    with connection.cursor() as cursor:
        for model in (Team, ReasonCode):
            sequence = f"pg_get_serial_sequence('{model._meta.db_table}', 'id')"
            cursor.execute(f"SELECT setval({sequence}, %s)", [beginning])


def read() -> Cast:
    """As the database has them."""
    users = User.objects.select_related("team").order_by("login_id")
    return Cast(**{user.login_id: user for user in users})


def create_codes() -> None:
    """Reason codes beside those of the system."""
    for label, category, code, team in (
        ("Lunch", "NOT_READY", 1, None),
        ("Coaching", "NOT_READY", 3, "Chat"),
        ("Filing", "NOT_READY", 4, "Back office"),
        ("End of shift", "LOGOUT", 1, None),
    ):
        made = ReasonCode.objects.create(
            category=category, code=code, label=label, for_all=team is None
        )
        if team:
            made.teams.add(Team.objects.get(name=team))
