"""The people of the configuration, each with a connection of its own."""

from contextlib import ExitStack

from kit.client import Caller, calling
from kit.configuration import Configuration
from kit.evidence import UnmetError

PASSWORDS = {
    "user": "password",
    "other": "other_password",
    "foreign": "foreign_password",
    "supervisor": "supervisor_password",
    "admin": "admin_password",
}
"""Each role with the setting of its password."""
PROBES = {"admin": "ReasonCodes?category=ALL"}
"""What shows that a password is right, where it is not the role's own User."""


class Roles:
    def __init__(self, configuration: Configuration, opened: ExitStack) -> None:
        self.configuration = configuration
        self._opened = opened
        self._callers: dict[str, Caller] = {}

    def __getitem__(self, role: str) -> Caller:
        """The caller; the check is skipped where the role is not configured."""
        login = self.configuration[role]
        if role not in self._callers:
            credentials = (login, self.configuration.get(PASSWORDS[role]))
            self._callers[role] = self._opened.enter_context(
                calling(
                    self.configuration.url,
                    credentials,
                    insecure=self.configuration.insecure,
                    waiting=self.configuration.waiting,
                )
            )
        return self._callers[role]

    def problem(self) -> str:
        """Why nothing can be checked, or an empty text."""
        for role in PASSWORDS:
            login = self.configuration.get(role)
            if not login:
                if role == "user":
                    return "USER is not configured."
                continue
            try:
                answer = self[role].get(PROBES.get(role, f"User/{login}"))
            except UnmetError as error:
                return f"no server answers at {self.configuration.url}.\n{error}"
            if answer.status == 401:
                refused = f"the server refuses {role.upper()} {login} with the given password."
                return f"{refused}\n{answer.evidence}"
            if answer.status == 503:
                return f"the server is out of service.\n{answer.evidence}"
        return ""
