"""Team, Dialogs and MediaDomain."""

import pytest
from kit.agent import Agent
from kit.client import Caller
from kit.configuration import Configuration
from kit.pages import CAPTURE, DIALOGS, MEDIA_PARAMETERS, RELEASE_12_6_2, REST_APIS, TEAM
from kit.statements import choice, statement

IN_TEAMS = (
    "uri",
    "loginId",
    "firstName",
    "lastName",
    "dialogs",
    "extension",
    "pendingState",
    "state",
    "stateChangeTime",
)


@statement("A Team has uri, id, name and users, for its supervisors and administrators", TEAM)
@pytest.mark.parametrize("role", ["supervisor", "admin"])
def test_team(request: pytest.FixtureRequest, configuration: Configuration, role: str) -> None:
    team = configuration["team"]
    shown = request.getfixturevalue(role).get(f"Team/{team}").document("Team")
    shown.has_all("uri", "id", "name", "users").has(uri=f"/finesse/api/Team/{team}", id=team)


@statement("Its users are summaries of the members", TEAM, CAPTURE)
def test_members(admin: Caller, agent: Agent, configuration: Configuration) -> None:
    users = admin.get(f"Team/{configuration['team']}").document("Team").child("users")
    members = users.every("User")
    for member in members:
        member.has_all(*IN_TEAMS)
    if {agent.login, configuration["other"]} - {member.text("loginId") for member in members}:
        users.fail(f"{agent.login} and {configuration['other']}", "not both")
    whole = agent.get_user()
    shown = next(member for member in members if member.matches(loginId=agent.login))
    names = ("uri", "firstName", "lastName", "dialogs", "extension", "state")
    shown.has(**{name: whole.text(name) for name in names})


@statement("Agents and other teams' supervisors may not read a Team", TEAM)
def test_others(agent: Agent, supervisor: Caller, configuration: Configuration) -> None:
    agent.get(f"Team/{configuration['team']}").refuses(401, "Authorization Failure")
    supervisor.get(f"Team/{configuration['other_team']}").refuses(401, "Authorization Failure")


@choice("A Team that does not exist is 404 for administrators, 401 for others", TEAM)
def test_unknown(admin: Caller, supervisor: Caller) -> None:
    admin.get("Team/2147483646").refuses(404, "Not Found")
    supervisor.get("Team/2147483646").refuses(401, "Authorization Failure")


@statement("The lists of calls and of tasks are <Dialogs>, each user's own", DIALOGS)
@pytest.mark.parametrize("path", ["Dialogs", "Dialogs/Media"])
def test_dialogs(agent: Agent, other: Caller, path: str) -> None:
    agent.get(f"{agent.path}/{path}").document("Dialogs")
    other.get(f"{agent.path}/{path}").refuses(401, "Invalid Authorization User Specified")


@choice("They are empty, since the service routes neither", DIALOGS)
def test_no_dialogs(agent: Agent) -> None:
    for path in ("Dialogs", "Dialogs/Media"):
        agent.get(f"{agent.path}/{path}").document("Dialogs").has_exactly()


@choice(
    "MediaDomain lists every MRD of the system by its id: uri, description, id, interruptible, "
    "name; and shows one",
    RELEASE_12_6_2,
    REST_APIS,
)
def test_media_domain(agent: Agent, configuration: Configuration) -> None:
    listed = agent.get("MediaDomain").document("MediaDomains")
    domains = listed.every("MediaDomain")
    for domain in domains:
        domain.has_in_order("uri", "description", "id", "interruptible", "name")
        domain.has(uri=f"/finesse/api/MediaDomain/{domain.text('id')}")
    shown = [domain.text("id") for domain in domains]
    wanted = [configuration[name] for name in ("voice_mrd", "mrd", "second_mrd", "foreign_mrd")]
    if shown != sorted(shown, key=int) or not set(wanted) <= set(shown):
        listed.fail(f"all by id, with {wanted}", str(shown))
    alone = agent.get(f"MediaDomain/{agent.mrd}").document("MediaDomain")
    alone.equals(next(domain for domain in domains if domain.matches(id=agent.mrd)))
    agent.get("MediaDomain/999999").refuses(404, "Not Found")


@choice("A Media describes its MRD as MediaDomain does", MEDIA_PARAMETERS)
def test_same_description(agent: Agent) -> None:
    domain = agent.get(f"MediaDomain/{agent.mrd}").document("MediaDomain")
    names = ("description", "id", "interruptible", "name")
    agent.get_media().has(**{name: domain.text(name) for name in names})
