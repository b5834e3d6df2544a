"""Authentication: HTTP Basic on every request, and the lock-out."""

import base64

import pytest
from kit.agent import Agent
from kit.client import Caller, calling
from kit.configuration import Configuration
from kit.pages import (
    API_ERRORS,
    CLIENT_REQUESTS,
    MEDIA_ERRORS,
    RFC_7617,
    SAMPLES,
    SEED,
    SIGN_IN,
)
from kit.statements import choice, statement

NOBODY = "conformance-nobody"
"""A login id that no server has."""


def basic(login: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{login}:{password}".encode()).decode()


@statement("A request without credentials is 401 Unauthorized", SEED, CLIENT_REQUESTS)
@pytest.mark.parametrize(
    "path",
    [
        "User/{user}",
        "User/{user}/Media",
        "User/{user}/Media/{mrd}",
        "User/{user}/Dialogs",
        "User/{user}/ReasonCodes?category=NOT_READY",
        "ReasonCodes?category=ALL",
        "Team/{team}",
        "MediaDomain",
    ],
)
def test_no_credentials(nobody: Caller, configuration: Configuration, path: str) -> None:
    names = {name: configuration.get(name) for name in ("user", "mrd", "team")}
    nobody.get(path.format(**names)).error(401)


@choice(
    "Wrong or missing credentials are Authentication Failure with UNAUTHORIZED, and ErrorData "
    "is the user name that was given",
    API_ERRORS,
    MEDIA_ERRORS,
)
def test_authentication_failure(nobody: Caller, agent: Agent) -> None:
    failure = "Authentication Failure"
    nobody.get(agent.media_path()).refuses(401, failure, message="UNAUTHORIZED")
    headers = {"Authorization": basic(NOBODY, "wrong")}
    answer = nobody.put(agent.media_path(), "no XML", headers=headers)
    answer.refuses(401, failure, message="UNAUTHORIZED", data=NOBODY)


@statement("A wrong password is refused, and the right one works after it", CLIENT_REQUESTS)
def test_wrong_password(nobody: Caller, agent: Agent, configuration: Configuration) -> None:
    wrong = basic(agent.login, configuration["password"] + "x")
    nobody.get(agent.media_path(), headers={"Authorization": wrong}).error(401)
    agent.get(agent.media_path()).is_(200)


@choice("A 401 challenges for Basic", CLIENT_REQUESTS)
def test_challenge(nobody: Caller, agent: Agent) -> None:
    answer = nobody.get(agent.media_path()).is_(401)
    if not answer.headers.get("www-authenticate", "").lower().startswith("basic"):
        answer.fail("WWW-Authenticate: Basic …", answer.headers.get("www-authenticate") or "none")


@statement("The name of the scheme, Basic, may be written in any case", RFC_7617)
def test_scheme_case(nobody: Caller, agent: Agent, configuration: Configuration) -> None:
    encoded = basic(agent.login, configuration["password"]).removeprefix("Basic ")
    for scheme in ("basic", "BASIC"):
        headers = {"Authorization": f"{scheme} {encoded}"}
        nobody.get(agent.media_path(), headers=headers).is_(200)


@statement("A cookie does not replace the Authorization header", SAMPLES, CLIENT_REQUESTS)
def test_cookies(nobody: Caller, agent: Agent) -> None:
    cookies = agent.get(agent.media_path()).headers.get_list("set-cookie")
    given = [cookie.partition(";")[0] for cookie in cookies] or ["JSESSIONID=1"]
    nobody.get(agent.media_path(), headers={"Cookie": "; ".join(given)}).error(401)


@choice("Any other Authorization header is 401, never an error of the server", CLIENT_REQUESTS)
@pytest.mark.parametrize(
    "header",
    [
        b"Basic",
        b"Basic !!!",
        b"Basic bm9jb2xvbg==",
        b"Basic " + base64.b64encode(b"\xff\xfe:x"),
        b"Basic " + base64.b64encode(b"a\0b:x"),
        b"Bearer abc",
        b"Digest username=x",
        b"\xff\xfe",
    ],
    ids=repr,
)
def test_odd_headers(nobody: Caller, agent: Agent, header: bytes) -> None:
    answer = nobody.get(agent.media_path(), headers={"Authorization": header})
    answer.refuses(401, "Authentication Failure")


@choice("Seven wrong passwords in a row get the same answer each", SIGN_IN)
def test_the_lock_is_silent(nobody: Caller, agent: Agent) -> None:
    for number in range(7):
        headers = {"Authorization": basic(NOBODY, f"wrong {number}")}
        nobody.get(agent.media_path(), headers=headers).refuses(
            401, "Authentication Failure", message="UNAUTHORIZED", data=NOBODY
        )


@statement("Five wrong passwords in a row block the user for five minutes", SIGN_IN)
def test_lock_out(nobody: Caller, configuration: Configuration) -> None:
    credentials = configuration["lockout_user"], configuration["lockout_password"]
    options = {"insecure": configuration.insecure, "waiting": configuration.waiting}
    with calling(configuration.url, credentials, **options) as user:
        path = f"User/{user.login}/Media"
        # Without a look whether the right one is right: a server may believe one that it has
        # verified before the wrong ones came.
        wrong = {"Authorization": basic(user.login, "wrong " + credentials[1])}
        for _ in range(5):
            nobody.get(path, headers=wrong).error(401)
        # The right one is refused now; the page does not say how.
        answer = user.get(path)
        if answer.status < 400:
            answer.fail("the right password refused, too", f"status {answer.status}")
