"""Reason codes: of users and teams."""

from collections.abc import Iterator

import pytest
from kit.agent import Agent
from kit.client import Caller
from kit.configuration import Configuration
from kit.evidence import Node
from kit.pages import (
    REASON_CODE,
    REASON_CODE_ERRORS,
    REST_APIS,
    TEAM,
    USER_ERRORS,
    USER_REASON_CODE,
    USER_REASON_CODES,
)
from kit.reason_codes import ELEMENTS, ReasonCodes
from kit.statements import choice, statement


def ids(listed: Node) -> set[str]:
    return {one.text("id") for one in listed.every("ReasonCode")}


def references(*ids: str) -> str:
    uris = (f"<ReasonCode><uri>/finesse/api/ReasonCode/{pk}</uri></ReasonCode>" for pk in ids)
    return f"<ReasonCodes>{''.join(uris)}</ReasonCodes>"


@pytest.fixture
def codes(admin: Caller) -> Iterator[ReasonCodes]:
    with ReasonCodes(admin) as codes:
        yield codes


@pytest.fixture
def of_team(admin: Caller, configuration: Configuration, codes: ReasonCodes) -> Iterator[str]:
    """The path of the team's NOT_READY codes, which are put back."""
    path = f"Team/{configuration['team']}/ReasonCodes?category=NOT_READY"
    before = ids(admin.get(path).document("ReasonCodes"))
    yield path
    admin.put(path, references(*before)).is_(200)


# --- Of a user ------------------------------------------------------------------------------------


@statement(
    "A user's list holds the global codes and the team's, and no other team's", USER_REASON_CODES
)
def test_list(agent: Agent, configuration: Configuration) -> None:
    listed = agent.get(f"{agent.path}/ReasonCodes?category=NOT_READY").document("ReasonCodes")
    if listed.element.get("category") != "NOT_READY":
        listed.fail('category="NOT_READY"', str(listed.element.attrib))
    for one in listed.every("ReasonCode"):
        one.has_in_order(*ELEMENTS).has(category="NOT_READY")
    if not {configuration["not_ready"], configuration["second_not_ready"]} <= ids(listed):
        listed.fail("the configured NOT_READY codes", str(ids(listed)))
    if configuration["foreign_not_ready"] in ids(listed):
        listed.fail("no code of another team", configuration["foreign_not_ready"])


@statement("The system's codes are offered to no user", REASON_CODE)
def test_no_system_codes(agent: Agent) -> None:
    for category in ("NOT_READY", "LOGOUT"):
        listed = agent.get(f"{agent.path}/ReasonCodes?category={category}")
        for one in listed.document("ReasonCodes").every("ReasonCode"):
            one.has(systemCode=False, category=category)


@statement("The category is needed", USER_REASON_CODES)
@pytest.mark.parametrize("query", ["", "?category=ALL", "?category=x"])
def test_category(agent: Agent, query: str) -> None:
    agent.get(f"{agent.path}/ReasonCodes{query}").error(400)


@statement("Users read their own list, administrators everybody's", USER_REASON_CODES)
def test_own(agent: Agent, admin: Caller, other: Caller, supervisor: Caller) -> None:
    path = f"{agent.path}/ReasonCodes?category=NOT_READY"
    admin.get(path).document("ReasonCodes").equals(agent.get(path).document("ReasonCodes"))
    for caller in (other, supervisor):
        caller.get(path).refuses(401, "Invalid Authorization User Specified")


@statement("One code of a user is 200 where it is global or the team's, else 404", USER_REASON_CODE)
def test_one(agent: Agent, configuration: Configuration) -> None:
    reason = configuration["not_ready"]
    agent.get(f"{agent.path}/ReasonCode/{reason}").document("ReasonCode").has(id=reason)
    for pk in (configuration["foreign_not_ready"], "2147483646"):
        agent.get(f"{agent.path}/ReasonCode/{pk}").error(404)


@choice("The list of a user who does not exist is 404 User Not Found", USER_ERRORS)
def test_unknown_user(admin: Caller) -> None:
    path = "User/conformance-nobody/ReasonCodes?category=NOT_READY"
    admin.get(path).refuses(404, "User Not Found", message="UNKNOWN_USER")


# --- Of a team ------------------------------------------------------------------------------------


@choice("A code that is not global is chosen by the teams that PUT assigns it to", REASON_CODE)
def test_assigned(agent: Agent, codes: ReasonCodes, of_team: str, foreign: Caller) -> None:
    pk = codes.make(forAll=False)
    agent.is_in("READY")
    agent.put_media(agent.body("NOT_READY", pk)).error(400)
    assigned = ids(codes.admin.get(of_team).document("ReasonCodes"))
    codes.admin.put(of_team, references(*assigned, pk)).is_(200)
    agent.change(agent.body("NOT_READY", pk), state="NOT_READY", reasonCodeId=pk)
    agent.is_in("READY")
    foreign.get(f"User/{foreign.login}/ReasonCode/{pk}").error(404)


@choice("The list of a team holds what is assigned to it, and PUT replaces it", TEAM, REASON_CODE)
def test_replace(codes: ReasonCodes, of_team: str, configuration: Configuration) -> None:
    first, second = codes.make(forAll=False), codes.make(forAll=False)
    for wanted in ({first}, {first, second}, {second}, set[str]()):
        codes.admin.put(of_team, references(*wanted)).is_(200).is_empty()
        listed = codes.admin.get(of_team).document("ReasonCodes")
        if ids(listed) != wanted:
            listed.fail(f"the codes {wanted}", f"{ids(listed)}")


@choice(
    "What is gone cannot be assigned (Finesse API Error), nor what is global, of the system or "
    "of the other category (Invalid Input)",
    REASON_CODE_ERRORS,
)
def test_not_assignable(codes: ReasonCodes, of_team: str, configuration: Configuration) -> None:
    before = codes.admin.get(of_team).document("ReasonCodes")
    codes.admin.put(of_team, references("2147483646")).refuses(400, "Finesse API Error")
    of_other_category = codes.make(category="LOGOUT", forAll=False)
    for pk in (configuration["not_ready"], of_other_category):
        codes.admin.put(of_team, references(pk)).refuses(400, "Invalid Input", data="uri")
    codes.admin.get(of_team).document("ReasonCodes").equals(before)


@statement("A team that does not exist is team_assignment_invalid_team", TEAM)
def test_unknown_team(admin: Caller) -> None:
    path = "Team/2147483646/ReasonCodes?category=NOT_READY"
    for answer in (admin.get(path), admin.put(path, references())):
        error_type = "finesse.api.team.team_assignment_invalid_team"
        answer.refuses(404, error_type, data="2147483646")


@statement("The codes of a team are for administrators", TEAM)
def test_others(agent: Agent, supervisor: Caller, configuration: Configuration) -> None:
    path = f"Team/{configuration['team']}/ReasonCodes?category=NOT_READY"
    for caller in (agent.caller, supervisor):
        caller.get(path).refuses(401, "Authorization Failure")
        caller.put(path, references()).refuses(401, "Authorization Failure")


@choice("Agents read what they may choose at TeamResource, too", REST_APIS)
def test_team_resource(agent: Agent, configuration: Configuration) -> None:
    path = f"TeamResource/{configuration['team']}/ReasonCodes?category=NOT_READY"
    listed = agent.get(path).document("ReasonCodes")
    of_user = agent.get(f"{agent.path}/ReasonCodes?category=NOT_READY").document("ReasonCodes")
    if ids(listed) != ids(of_user):
        listed.fail(f"the codes {ids(of_user)}", f"{ids(listed)}")


@choice("Supervisors and administrators, too; agents of other teams get a 401", REST_APIS)
def test_who_reads_team_resource(
    supervisor: Caller, admin: Caller, foreign: Caller, configuration: Configuration
) -> None:
    path = f"TeamResource/{configuration['team']}/ReasonCodes?category=LOGOUT"
    for caller in (supervisor, admin):
        caller.get(path).document("ReasonCodes")
    foreign.get(path).refuses(401, "Authorization Failure")
