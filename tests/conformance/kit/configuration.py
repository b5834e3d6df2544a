"""Which server, and who and what is configured there; the defaults are those of our demo.

Each setting is an option of the command line (`--second-mrd`) and an environment variable
(`CONFORMANCE_SECOND_MRD`). An empty one is not configured: what needs it is skipped, and says so.
"""

import os
from dataclasses import dataclass

import pytest

from kit.waiting import Waiting


@dataclass(frozen=True, slots=True)
class Setting:
    name: str
    default: str
    meaning: str

    @property
    def option(self) -> str:
        return "--" + self.name.replace("_", "-")

    @property
    def variable(self) -> str:
        return f"CONFORMANCE_{self.name.upper()}"


SETTINGS = [
    Setting("url", "http://127.0.0.1:8000", "where the server is, without /finesse/api"),
    Setting("user", "1234", "login id of an agent without tasks, whom nobody else uses"),
    Setting("password", "finesse", "and the password"),
    Setting("mrd", "5001", "a non-voice MRD of which the agent is a member"),
    Setting("second_mrd", "5000", "another one"),
    Setting("foreign_mrd", "5002", "a non-voice MRD of which the agent is no member"),
    Setting("voice_mrd", "1", "the voice MRD"),
    Setting("team", "1", "the agent's team"),
    Setting("other", "1235", "login id of another agent of the team"),
    Setting("other_password", "finesse", "and the password"),
    Setting("foreign", "1300", "login id of an agent of another team"),
    Setting("foreign_password", "finesse", "and the password"),
    Setting("other_team", "2", "that other team"),
    Setting("supervisor", "2001", "login id of a supervisor of the first team only, in no MRD"),
    Setting("supervisor_password", "finesse", "and the password"),
    Setting("admin", "admin", "login id of an administrator"),
    Setting("admin_password", "finesse", "and the password"),
    Setting("not_ready", "1001", "database id of a global NOT_READY reason code"),
    Setting("second_not_ready", "1002", "database id of another one"),
    Setting("foreign_not_ready", "1004", "database id of one of the other team only"),
    Setting("logout", "2001", "database id of a global LOGOUT reason code"),
    Setting("extension", "1001001", "an extension on which the agent may sign in"),
    Setting("second_extension", "2002", "another one"),
    Setting("origin", "", "an origin that the server allows to call across origins (CORS)"),
    Setting("lockout_user", "", "login id of a user whom the lock-out may block for five minutes"),
    Setting("lockout_password", "", "and the password"),
]


class Configuration:
    def __init__(self, options: pytest.Config) -> None:
        self._values: dict[str, str] = {
            setting.name: str(options.getoption(setting.name)) for setting in SETTINGS
        }
        self.url = self._values["url"].rstrip("/")
        self.events: bool = options.getoption("notifications") == "websocket"
        self.insecure: bool = options.getoption("insecure")
        self.waiting = Waiting(options.getoption("wait_limit"))

    def __getitem__(self, name: str) -> str:
        """The value; the check is skipped where it is not configured."""
        if not self._values[name]:
            setting = next(each for each in SETTINGS if each.name == name)
            pytest.skip(f"{name.upper()} is not configured ({setting.meaning})")
        return self._values[name]

    def get(self, name: str) -> str:
        """The value, or an empty text."""
        return self._values[name]


def add_options(group: pytest.OptionGroup) -> None:
    for setting in SETTINGS:
        group.addoption(
            setting.option,
            dest=setting.name,
            default=os.environ.get(setting.variable, setting.default),
            help=f"{setting.meaning} (default: {setting.default or 'not configured'})",
        )
    group.addoption(
        "--notifications",
        choices=["websocket", "none"],
        default=os.environ.get("CONFORMANCE_NOTIFICATIONS", "websocket"),
        help="how outcomes are observed: on the socket of Finesse Media, or by GET alone",
    )
    group.addoption(
        "--documented-only",
        action="store_true",
        default=os.environ.get("CONFORMANCE_DOCUMENTED_ONLY", "") not in {"", "0"},
        help="leave out what is Finesse Media's own choice",
    )
    group.addoption(
        "--insecure",
        action="store_true",
        default=os.environ.get("CONFORMANCE_INSECURE", "") not in {"", "0"},
        help="accept any TLS certificate",
    )
    group.addoption(
        "--wait_limit",
        type=float,
        default=float(os.environ.get("CONFORMANCE_PATIENCE", "8")),
        help="seconds to wait for an answer or a notification",
    )
