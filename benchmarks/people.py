"""The users, teams and reason codes of the benchmarks, the same for every contender."""

import base64

PASSWORD = "benchmark"
ADMINISTRATOR = "admin"
EVERYBODY = "*"
"""Instead of a login id: the ceiling sends the frame to every socket."""
MRD = 5000
REASON_CODES = range(1001, 1021)
"""Ids of the reason codes of NOT_READY; the first is for all teams."""
AGENTS_OF_A_TEAM = 40


def agent(number: int) -> str:
    return str(10_001 + number)


def supervisor(number: int) -> str:
    """The supervisor of the team of this number."""
    return f"sue{number}"


def basic(login_id: str) -> str:
    """The value of the Authorization header."""
    return "Basic " + base64.b64encode(f"{login_id}:{PASSWORD}".encode()).decode()


NOT_READY = (
    f"<Media><state>NOT_READY</state><reasonCodeId>{REASON_CODES.start}</reasonCodeId></Media>"
)
READY = "<Media><state>READY</state></Media>"
