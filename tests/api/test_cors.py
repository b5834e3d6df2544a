"""Pages of other origins: those of the configuration may call the API, and nothing else."""

import runpy
from typing import Any

import pytest
from django.core.cache import cache
from django.core.checks import run_checks

from finesse import settings as product
from tests.conftest import API, LOGIN

pytestmark = pytest.mark.usefixtures("cast")
GADGET, STRANGER = "https://gadget.example", "https://stranger.example"
MEDIA = "User/alice/Media/5001"
REQUEST_HEADERS = {
    "content-type",
    "x-requested-with",
    "accept",
    "origin",
    "authorization",
    "access-control-request-method",
    "access-control-request-headers",
    "requestid",
    "range",
    "locale",
}


@pytest.fixture(autouse=True)
def allowed(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CORS_ALLOWED_ORIGINS", GADGET)
    configured = runpy.run_path(product.__file__)
    for name in ("CORS_ALLOWED_ORIGINS", "FINESSE_API_MIDDLEWARE"):
        setattr(settings, name, configured[name])


def preflight(api: API, method: str = "PUT", origin: str = GADGET, path: str = MEDIA) -> Any:
    """As a browser asks: without credentials, and with names in lower case."""
    return api.request(
        "OPTIONS",
        path,
        login=None,
        Origin=origin,
        **{
            "Access-Control-Request-Method": method,
            "Access-Control-Request-Headers": "authorization,content-type,requestid",
        },
    )


def listed(response: Any, header: str) -> set[str]:
    return {name.strip().lower() for name in response[header].split(",")}


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
def test_the_preflight_is_answered_without_authentication(api: API, method: str) -> None:
    response = preflight(api, method)
    assert (response.status_code, response.content) == (200, b"")
    assert response["Access-Control-Allow-Origin"] == GADGET
    assert response["Access-Control-Allow-Credentials"] == "true"
    assert listed(response, "Access-Control-Allow-Headers") == REQUEST_HEADERS
    assert method.lower() in listed(response, "Access-Control-Allow-Methods")


def test_the_preflight_is_answered_out_of_service_and_the_503_can_be_read(api: API) -> None:
    cache.delete("heartbeat:worker")
    assert preflight(api)["Access-Control-Allow-Origin"] == GADGET
    response = api.put(LOGIN, Origin=GADGET)
    assert response.status_code == 503
    assert response["Access-Control-Allow-Origin"] == GADGET


def test_the_answer_and_its_headers_can_be_read(api: API) -> None:
    response = api.put(LOGIN, Origin=GADGET, requestId="r-1")
    assert (response.status_code, response["requestId"]) == (202, "r-1")
    assert response["Access-Control-Allow-Origin"] == GADGET
    assert response["Access-Control-Allow-Credentials"] == "true"
    assert listed(response, "Access-Control-Expose-Headers") == {"requestid", "location"}
    assert "origin" in listed(response, "Vary")


@pytest.mark.parametrize("login", ["alice", None])
def test_an_error_can_be_read(api: API, login: str | None) -> None:
    response = api.request("PUT", "Nonsense", LOGIN, login=login, Origin=GADGET)
    assert response.status_code == (404 if login else 401)
    assert response["Access-Control-Allow-Origin"] == GADGET


@pytest.mark.parametrize(
    "origin",
    [
        STRANGER,
        "http://gadget.example",
        "https://gadget.example:8443",
        "https://gadget.example.stranger.example",
        "null",
        "*",
        "https://[",
    ],
)
def test_other_origins_are_allowed_nothing(api: API, origin: str) -> None:
    for response in (preflight(api, origin=origin), api.get(Origin=origin)):
        assert not [name for name in response.headers if name.startswith("Access-Control-Allow")]


def test_without_an_origin_nothing_changes(api: API) -> None:
    assert "Access-Control-Allow-Origin" not in api.get()
    plain = api.request("OPTIONS", MEDIA)
    assert (plain.status_code, plain["Allow"]) == (200, "GET, PUT, HEAD, OPTIONS")
    assert api.request("OPTIONS", MEDIA, login=None).status_code == 401


@pytest.mark.parametrize("path", ["/", "/board/", "/login/", "/admin/login/", "/healthz"])
def test_the_pages_are_for_no_other_origin(api: API, path: str) -> None:
    response = api.client.get(path, headers={"Origin": GADGET})
    assert "Access-Control-Allow-Origin" not in response


def test_by_default_no_origin_is_allowed(api: API, settings: Any) -> None:
    settings.CORS_ALLOWED_ORIGINS = product.CORS_ALLOWED_ORIGINS
    settings.CORS_URLS_REGEX = product.CORS_URLS_REGEX
    assert "Access-Control-Allow-Origin" not in preflight(api)


def test_every_origin_at_once_cannot_be_allowed(settings: Any) -> None:
    settings.CORS_ALLOWED_ORIGINS = ["*"]
    assert [message.id for message in run_checks()] == ["corsheaders.E013"]
