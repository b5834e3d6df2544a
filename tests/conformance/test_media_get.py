"""Media: reading one and the list."""

import pytest
from kit.agent import Agent
from kit.client import Caller
from kit.configuration import Configuration
from kit.documents import LATER_MEDIA_ELEMENTS, MEDIA_ELEMENTS
from kit.pages import (
    GET_LIST,
    GET_MEDIA,
    MEDIA_ERRORS,
    MEDIA_PARAMETERS,
    RELEASE_12_6_2,
)
from kit.statements import choice, statement

SHORT_FORM = ("uri", "description", "id", "interruptible", "name")
OTHER_USER = {
    "error_type": "Invalid Authorization User Specified",
    "message": "The user specified in the authentication credentials and the uri don't match",
}


@statement(
    "A Media has exactly the printed elements: uri, then by the alphabet, interruptAction last",
    GET_MEDIA,
)
def test_elements(agent: Agent, configuration: Configuration) -> None:
    agent.is_in("NOT_READY", reason=configuration["not_ready"])
    shown = agent.get_media().has_exactly(*MEDIA_ELEMENTS, or_also=LATER_MEDIA_ELEMENTS)
    shown.has_in_order(*MEDIA_ELEMENTS, or_also=LATER_MEDIA_ELEMENTS)


@statement("uri is the path of the Media, id is the id of the MRD", MEDIA_PARAMETERS, GET_MEDIA)
def test_uri(agent: Agent) -> None:
    agent.get_media().has(uri=agent.media_uri(), id=agent.mrd)


@statement("Of an MRD of which the user is no member, five elements are shown", GET_MEDIA)
def test_no_member(agent: Agent, configuration: Configuration) -> None:
    mrd = configuration["foreign_mrd"]
    shown = agent.get_media(mrd).has_exactly(*SHORT_FORM)
    shown.has(id=mrd, uri=agent.media_uri(mrd))


@statement("Reading an MRD that is not known is 404 Not Found", GET_MEDIA, MEDIA_ERRORS)
def test_unknown_mrd(agent: Agent) -> None:
    agent.get(agent.media_path("999999")).refuses(404, "Not Found")


@choice("The voice MRD has no Media: 404 Not Found", GET_MEDIA)
def test_voice(agent: Agent, configuration: Configuration) -> None:
    agent.get(agent.media_path(configuration["voice_mrd"])).refuses(404, "Not Found")


@statement("Users read their own Media and their own list only", GET_MEDIA, GET_LIST, MEDIA_ERRORS)
def test_other_user(agent: Agent, other: Caller) -> None:
    other.get(agent.media_path()).refuses(401, **OTHER_USER)
    other.get(f"{agent.path}/Media").refuses(401, **OTHER_USER)


@choice("Supervisors and administrators read their own Media only, too", GET_MEDIA)
@pytest.mark.parametrize("role", ["supervisor", "admin"])
def test_no_exception(agent: Agent, request: pytest.FixtureRequest, role: str) -> None:
    request.getfixturevalue(role).get(agent.media_path()).refuses(401, **OTHER_USER)


@choice("Reading needs no sign-in: a signed-out agent sees LOGOUT", GET_MEDIA)
def test_signed_out(agent: Agent) -> None:
    agent.is_in("LOGOUT")
    agent.get_media().has(state="LOGOUT", routable="false")


@statement("The list is <MediaList> with a <Media> for each MRD of the user", GET_LIST)
def test_list(agent: Agent, configuration: Configuration) -> None:
    listed = agent.get(f"{agent.path}/Media").document("MediaList")
    ids = [one.text("id") for one in listed.every("Media")]
    if set(listed.names) != {"Media"} or not {agent.mrd, configuration["second_mrd"]} <= set(ids):
        listed.fail(f"<Media> of {agent.mrd} and {configuration['second_mrd']}", f"{ids}")


@choice("The list holds the user's MRDs only", GET_LIST, RELEASE_12_6_2)
def test_list_is_the_users(agent: Agent, configuration: Configuration) -> None:
    listed = agent.get(f"{agent.path}/Media").document("MediaList")
    ids = [one.text("id") for one in listed.every("Media")]
    if {configuration["foreign_mrd"], configuration["voice_mrd"]} & set(ids):
        listed.fail("no MRD of which the user is no member", f"{ids}")


@choice("The list is in the order of the MRDs' ids", GET_LIST)
def test_order_of_list(agent: Agent) -> None:
    listed = agent.get(f"{agent.path}/Media").document("MediaList")
    ids = [int(one.text("id")) for one in listed.every("Media")]
    if ids != sorted(ids):
        listed.fail(f"{sorted(ids)}", f"{ids}")


@statement("A Media is the same in the list and alone", GET_LIST)
def test_same_in_list(agent: Agent) -> None:
    listed = agent.get(f"{agent.path}/Media").document("MediaList")
    found = [one for one in listed.every("Media") if one.matches(id=agent.mrd)]
    if len(found) != 1:
        listed.fail(f"one Media of {agent.mrd}", f"{len(found)} of them")
    found[0].equals(agent.get_media())


@choice("Who is in no MRD has an empty <MediaList>", GET_LIST)
def test_empty_list(supervisor: Caller) -> None:
    listed = supervisor.get(f"User/{supervisor.login}/Media").document("MediaList")
    if listed.every("Media"):
        pytest.skip("the SUPERVISOR is a member of an MRD")
    listed.has_exactly()
