"""`python -m benchmarks.program plain.populate 2000`: make the tables, and the same users."""

import sys

from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import User
from django.core.management import call_command
from django.utils import timezone

from benchmarks.people import ADMINISTRATOR, MRD, PASSWORD, REASON_CODES, agent
from benchmarks.plain.models import Media, ReasonCode, StateInterval


def main() -> None:
    call_command("migrate", run_syncdb=True, verbosity=0)
    password, now = make_password(PASSWORD), timezone.now()
    names = [ADMINISTRATOR, *map(agent, range(int(sys.argv[1])))]
    users = User.objects.bulk_create(User(username=name, password=password) for name in names)
    media = Media.objects.bulk_create(
        Media(user=user, mrd_id=MRD, state="READY", state_change_time=now) for user in users
    )
    StateInterval.objects.bulk_create(
        StateInterval(media=one, state="READY", started_at=now) for one in media
    )
    ReasonCode.objects.bulk_create(
        ReasonCode(pk=pk, category="NOT_READY", code=number, label=f"Reason {number}")
        for number, pk in enumerate(REASON_CODES, start=1)
    )
