"""Media: several in one request."""

from kit.agent import Agent
from kit.client import Caller, new_request_id
from kit.configuration import Configuration
from kit.documents import media, sign_in
from kit.pages import PUT_LIST, RELEASE_12_6_2
from kit.statements import choice


def listed(*media_bodies: str) -> str:
    return f"<MediaList>{''.join(media_bodies)}</MediaList>"


@choice(
    "PUT on the list of Media is answered 202 with an empty body and requestId",
    RELEASE_12_6_2,
    PUT_LIST,
)
def test_accepted(agent: Agent) -> None:
    agent.is_in("READY")
    request_id = new_request_id()
    answer = agent.put_list(listed(media("READY", id=agent.mrd)), request_id=request_id)
    answer.accepted().is_empty().header("requestId", request_id)


@choice("Each <Media> of the list is changed as by a request of its own", PUT_LIST)
def test_each(agent: Agent, configuration: Configuration) -> None:
    second = configuration["second_mrd"]
    agent.is_in("NOT_READY")
    agent.is_in("READY", second)
    reason = configuration["not_ready"]
    body = listed(media("READY", id=agent.mrd), media("NOT_READY", id=second, reasonCodeId=reason))
    answer = agent.put_list(body).accepted()
    agent.outcome(answer, state="READY")
    agent.outcome(answer, second, state="NOT_READY", reasonCodeId=reason)


@choice("Each has an outcome of its own, errors with the one requestId", PUT_LIST)
def test_outcomes(agent: Agent, configuration: Configuration, events: None) -> None:
    second = configuration["second_mrd"]
    agent.is_in("LOGOUT")
    agent.is_in("NOT_READY", second)
    request_id = new_request_id()
    body = listed(media("READY", id=agent.mrd), sign_in(id=second))
    agent.put_list(body, request_id=request_id).accepted()
    error = "E_ARM_STAT_AGENT_NOT_LOGGED_IN"
    agent.told().refuses(6, error, media=agent.mrd, request_id=request_id)
    error = "E_ARM_STAT_AGENT_ALREADY_LOGGED_IN"
    agent.told(second).refuses(1, error, media=second, request_id=request_id)


@choice("A <Media> of the list may be named by its uri", PUT_LIST)
def test_by_uri(agent: Agent) -> None:
    agent.is_in("NOT_READY")
    answer = agent.put_list(listed(media("READY", uri=agent.media_uri()))).accepted()
    agent.outcome(answer, state="READY")


@choice(
    "If one of the list is invalid, none is changed, and ErrorMedia names the invalid one", PUT_LIST
)
def test_all_or_none(agent: Agent, configuration: Configuration) -> None:
    agent.is_in("NOT_READY")
    before = agent.get_media()
    second = configuration["second_mrd"]
    body = listed(media("READY", id=agent.mrd), media("AWAY", id=second))
    agent.put_list(body).refuses(400, "Invalid Input", data="state", media=second)
    agent.get_media().equals(before)
    if configuration.events:
        agent.is_told_nothing_before()


@choice(
    "A list is Bad Request without a <Media>, Parameter Missing without an id, Not Found with "
    "an unknown one",
    PUT_LIST,
)
def test_invalid_lists(agent: Agent) -> None:
    for body in ("<MediaList/>", "<MediaList><User/></MediaList>", "<Media/>"):
        agent.put_list(body).refuses(400, "Bad Request")
    agent.put_list(listed(media("READY"))).refuses(400, "Parameter Missing", data="id")
    agent.put_list(listed(media("READY", id="999999"))).refuses(404, "Not Found", media="999999")


@choice("Users change their own list only", PUT_LIST)
def test_other_user(agent: Agent, other: Caller) -> None:
    other.put(f"{agent.path}/Media", listed(media("READY", id=agent.mrd))).refuses(
        401, "Invalid Authorization User Specified"
    )
