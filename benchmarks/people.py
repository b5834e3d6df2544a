"""Who is there in what the benchmarks measure; every contender knows the same people."""

import base64

PASSWORD = "benchmark"
ADMINISTRATOR = "admin"
EVERYBODY = "*"
"""In place of a login id, to the ceiling: told to every socket."""
MRD = 5000
REASON_CODES = range(1001, 1021)
"""Those of NOT_READY; the first is for everybody."""
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
