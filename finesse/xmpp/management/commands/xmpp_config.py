"""`manage.py xmpp_config`: the configuration of a Prosody that runs beside this service."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from finesse.xmpp.prosody.configuration import MODULES, Configuration


class Command(BaseCommand):
    help = "Print a configuration for Prosody (docs/xmpp.md)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--certificate", type=Path, required=True, help="in PEM, with its chain"
        )
        parser.add_argument("--key", type=Path, required=True, help="in PEM")
        parser.add_argument(
            "--password-url",
            required=True,
            metavar="URL",
            help="where Prosody reaches /finesse/xmpp/password of this service",
        )
        parser.add_argument(
            "--interface",
            action="append",
            dest="interfaces",
            metavar="ADDRESS",
            help="where clients connect; may be given again (default: everywhere)",
        )
        parser.add_argument(
            "--modules",
            type=Path,
            default=MODULES,
            metavar="FOLDER",
            help="where Prosody finds this project's modules (default: %(default)s)",
        )
        parser.add_argument(
            "--users-may-talk", action="store_true", help="let users write to each other"
        )

    def handle(
        self,
        *args: Any,
        certificate: Path,
        key: Path,
        password_url: str,
        interfaces: list[str] | None,
        modules: Path,
        users_may_talk: bool,
        **options: Any,
    ) -> None:
        if not settings.FINESSE_XMPP_SECRET:
            raise CommandError(
                "FINESSE_XMPP_SECRET is not set. Put a long random value into the environment of "
                "this service, of this command and of xmpp_component (for one: "
                "python3 -c 'import secrets; print(secrets.token_urlsafe(50))')."
            )
        configuration = Configuration(
            certificate=certificate,
            key=key,
            password_url=password_url,
            interfaces=interfaces or ("*", "::"),
            modules=modules,
            users_may_talk=users_may_talk,
        )
        try:
            self.stdout.write(configuration.render(), ending="")
        except ValueError as error:
            raise CommandError(str(error)) from None
