"""Addresses as people type them, with or without the slash."""

import pytest
from django.test import Client

from finesse.users.models import User
from tests.conftest import Cast

HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
MEANT = {
    "/admin": "/admin/",
    "/login": "/login/",
    "/finesse": "/",
    "/finesse/": "/",
    "/board": "/",
    "/board/": "/",
    "/finesse/docs": "/finesse/docs/",
    "/healthz/": "/healthz",
}


@pytest.mark.parametrize("method", ["get", "head"])
@pytest.mark.parametrize("address", MEANT)
def test_an_address_leads_where_people_meant(address: str, method: str, cast: Cast) -> None:
    answer = getattr(Client(), method)(address, headers=HTML)
    assert (answer.status_code, answer["Location"]) == (302, MEANT[address])


@pytest.mark.parametrize("address", MEANT)
def test_it_ends_at_a_page(address: str, cast: Cast, in_service: None) -> None:
    client = Client()
    client.force_login(User.objects.get(pk="dave"))
    assert client.get(address, headers=HTML, follow=True).status_code == 200


def test_the_query_comes_along_but_leads_nowhere_else(cast: Cast) -> None:
    client = Client()
    answer = client.get("/login?next=https://evil.example/", headers=HTML)
    assert answer["Location"] == "/login/?next=https://evil.example/"
    signed_in = client.post(answer["Location"], {"username": "alice", "password": "correct horse"})
    assert signed_in["Location"] == "/"


@pytest.mark.parametrize(
    "address",
    [
        "/nowhere", "/nowhere/", "/admi", "/adminx", "/login.php", "/Login", "/boards",
        "/finesse//",
        "/finesse/nowhere", "/login%0a",
        "/admin//", "/board/nowhere",
    ],
)  # fmt: skip
def test_unknown_pages_stay_unknown(address: str, cast: Cast) -> None:
    client = Client()
    client.force_login(User.objects.get(pk="dave"))
    assert client.get(address, headers=HTML).status_code == 404


@pytest.mark.parametrize("address", sorted({*MEANT} - {"/healthz/", "/board/"}))
@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_what_is_sent_is_not_led_astray(address: str, method: str, cast: Cast) -> None:
    assert getattr(Client(), method)(address).status_code == 405
