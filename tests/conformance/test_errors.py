"""Errors: their form."""

from kit.agent import Agent
from kit.client import Caller
from kit.configuration import Configuration
from kit.documents import PERIPHERAL_ERRORS, media, user
from kit.pages import API_ERRORS, MEDIA_ERRORS, SEED, USER_ERRORS
from kit.statements import choice, statement


@statement(
    "An error is <ApiErrors> with one <ApiError>: ErrorData, ErrorMedia, ErrorMessage and "
    "ErrorType, in this order",
    SEED,
    MEDIA_ERRORS,
)
def test_envelope(agent: Agent) -> None:
    agent.put_media("<Media/>").error(400).has_in_order(
        "ErrorData", "ErrorMedia", "ErrorMessage", "ErrorType", or_also=PERIPHERAL_ERRORS
    )


@statement("ErrorMedia is the MRD that the error is about", SEED)
def test_error_media(agent: Agent, configuration: Configuration) -> None:
    for mrd in (agent.mrd, configuration["second_mrd"]):
        agent.put_media("<Media/>", mrd).error(400).has(ErrorMedia=mrd)


@statement("Errors about a User have no ErrorMedia", USER_ERRORS, API_ERRORS)
def test_no_error_media(agent: Agent) -> None:
    agent.put_user(user()).error(400).has_all("ErrorData", "ErrorMessage", "ErrorType").lacks(
        "ErrorMedia"
    )


@choice("Errors of authentication have no ErrorMedia", MEDIA_ERRORS)
def test_authentication(nobody: Caller, agent: Agent) -> None:
    nobody.get(agent.media_path()).error(401).lacks("ErrorMedia")


@statement("An error is XML", API_ERRORS)
def test_type(agent: Agent, nobody: Caller) -> None:
    agent.put_media("<Media/>").is_(400).is_xml()
    nobody.get(agent.media_path()).is_(401).is_xml()
    agent.get("Nothing").is_(404).is_xml()
    agent.caller.delete(agent.media_path()).is_(405).is_xml()


@statement("Special characters are escaped in errors", API_ERRORS)
def test_escaping(agent: Agent) -> None:
    # Whatever the error repeats of it, the document must be one.
    agent.put_media(media("READY"), "%3Ca%26b%3E").error(404)


@choice("A request is checked in the order 401, 404, 400", MEDIA_ERRORS)
def test_order_of_checks(nobody: Caller, agent: Agent, other: Caller) -> None:
    unknown = agent.media_path("999999")
    nobody.put(unknown, "no XML").error(401)
    other.put(unknown, "no XML").error(401)
    agent.put_media("no XML", "999999").error(404)
    agent.put_media("no XML").error(400)
