"""GET of one Media and of the list [Media - Get Media], [Media - Get List]."""

from collections.abc import Callable
from typing import Any
from xml.etree.ElementTree import fromstring

import pytest

from media.models import Media
from reasoncodes.models import ReasonCode
from tests.conftest import API, LOGIN, error_of

pytestmark = pytest.mark.usefixtures("cast")


def elements(content: bytes) -> list[tuple[str, str]]:
    return [(child.tag, child.text or "") for child in fromstring(content)]


def test_a_media_is_shown_as_printed_in_every_element_and_their_order(
    api: API, codes: dict[str, ReasonCode], settle: Callable[[], Any]
) -> None:
    lunch = codes["Lunch"]
    api.put(LOGIN)
    api.state("NOT_READY", lunch.pk)
    settle()
    changed = Media.objects.get(user="alice", mrd=5001).state_change_time
    assert changed is not None
    response = api.get()
    assert response.status_code == 200
    assert response["Content-Type"] == "application/xml; charset=utf-8"
    assert response.content.decode() == (
        "<Media>\n"
        "  <uri>/finesse/api/User/alice/Media/5001</uri>\n"
        "  <description></description>\n"
        "  <dialogLogoutAction>CLOSE</dialogLogoutAction>\n"
        "  <id>5001</id>\n"
        "  <interruptible>true</interruptible>\n"
        "  <maxDialogLimit>5</maxDialogLimit>\n"
        "  <name>Email</name>\n"
        "  <ReasonCode>\n"
        "    <category>NOT_READY</category>\n"
        "    <code>1</code>\n"
        "    <forAll>true</forAll>\n"
        f"    <id>{lunch.pk}</id>\n"
        "    <label>Lunch</label>\n"
        f"    <uri>/finesse/api/ReasonCode/{lunch.pk}</uri>\n"
        "  </ReasonCode>\n"
        f"  <reasonCodeId>{lunch.pk}</reasonCodeId>\n"
        "  <routable>true</routable>\n"
        "  <state>NOT_READY</state>\n"
        f"  <stateChangeTime>{changed:%Y-%m-%dT%H:%M:%S}.{changed.microsecond // 1000:03d}Z"
        "</stateChangeTime>\n"
        "  <interruptAction>ACCEPT</interruptAction>\n"
        "</Media>\n"
    )


def test_signed_out_the_options_are_left_out_and_there_is_no_reason(api: API) -> None:
    assert elements(api.get().content) == [
        ("uri", "/finesse/api/User/alice/Media/5001"),
        ("description", ""),
        ("id", "5001"),
        ("interruptible", "true"),
        ("name", "Email"),
        ("reasonCodeId", "-1"),
        ("routable", "false"),
        ("state", "LOGOUT"),
        ("stateChangeTime", ""),
    ]


def test_an_mrd_that_the_user_is_not_assigned_to_has_five_elements(api: API) -> None:
    response = api.get(mrd=5002)
    assert response.status_code == 200
    assert elements(response.content) == [
        ("uri", "/finesse/api/User/alice/Media/5002"),
        ("description", ""),
        ("id", "5002"),
        ("interruptible", "false"),
        ("name", "Tasks"),
    ]


def test_the_voice_mrd_is_not_for_the_media_api(api: API) -> None:
    assert (api.get(mrd=1).status_code, error_of(api.get(mrd=1))["ErrorMedia"]) == (404, "1")


@pytest.mark.parametrize("mrd", ["4711", "05001", "x"])
def test_an_unknown_mrd_is_not_found(api: API, mrd: str) -> None:
    assert api.get(mrd=mrd).status_code == 404


def ids(response: Any) -> list[str | None]:
    root = fromstring(response.content)
    assert root.tag == "MediaList"
    return [media.findtext("id") for media in root.findall("Media")]


@pytest.mark.parametrize(
    "path", ["User/alice/Media", "User/alice/Media/", "User/alice/Media?nocache=1"]
)
def test_the_list_shows_the_users_mrds_by_their_ids(api: API, path: str) -> None:
    assert ids(api.request("GET", path)) == ["5000", "5001"]


def test_the_older_releases_list_of_every_nonvoice_mrd_is_a_setting(
    api: API, settings: Any
) -> None:
    settings.FINESSE_LIST_ALL_MEDIA = True
    response = api.request("GET", "User/alice/Media")
    assert ids(response) == ["5000", "5001", "5002"]
    member, _, other = fromstring(response.content)
    assert member.find("state") is not None
    assert other.find("state") is None


def test_the_list_of_a_user_without_mrds_is_empty(api: API) -> None:
    response = api.request("GET", "User/dave/Media", login="dave")
    assert (response.status_code, response.content) == (200, b"<MediaList></MediaList>\n")


@pytest.mark.parametrize("path", ["User/bob/Media", "User/bob/Media/5002"])
@pytest.mark.parametrize("login", ["alice", "carol", "dave"])
def test_no_user_reads_anothers_media(api: API, path: str, login: str) -> None:
    response = api.request("GET", path, login=login)
    assert response.status_code == 401
    assert error_of(response)["ErrorType"] == "Invalid Authorization User Specified"


def test_head_and_options_answer_without_a_body_and_list_the_allowed_methods(api: API) -> None:
    head = api.request("HEAD", "User/alice/Media/5001")
    assert (head.status_code, head.content) == (200, b"")
    options = api.request("OPTIONS", "User/alice/Media/5001")
    assert (options.status_code, options.content) == (200, b"")
    assert {"GET", "PUT"} <= set(options["Allow"].split(", "))


def test_a_label_with_special_characters_comes_through(
    api: API, codes: dict[str, ReasonCode], settle: Callable[[], Any]
) -> None:
    ReasonCode.objects.filter(pk=codes["Lunch"].pk).update(label="A&B<C>\"'é日")
    api.put(LOGIN)
    api.state("NOT_READY", codes["Lunch"].pk)
    *_, published = settle()
    for document in (api.get().content, published.update):
        assert fromstring(document).findtext(".//label") == "A&B<C>\"'é日"
