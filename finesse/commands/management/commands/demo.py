"""`manage.py demo`: load the demo's people, MRDs and reason codes."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from finesse.commands import demo_data


class Command(BaseCommand):
    help = "Load the demo data, in demo mode only (FINESSE_DEMO=1)."

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.FINESSE_DEMO:
            raise CommandError(
                "The demo's passwords are public, so its users are made in demo mode only. "
                "Set FINESSE_DEMO=1, or create users in the admin."
            )
        with transaction.atomic():
            demo_data.load(settings.FINESSE_DEMO_PASSWORD)
