"""A view's `renderer_classes` write its answers: a second format is one line on the view."""

import json
from typing import Any

import pytest
from django.test import RequestFactory
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response

from finesse.api.renderers import FinesseXMLRenderer
from media.api.views import MediaDetail
from tests.conftest import LOGIN, basic

pytestmark = pytest.mark.usefixtures("cast", "in_service")

XML = "application/xml; charset=utf-8"
JSON = "application/json"


class XMLOrJSON(MediaDetail):
    renderer_classes = (FinesseXMLRenderer, JSONRenderer)


class JSONOrXML(MediaDetail):
    renderer_classes = (JSONRenderer, FinesseXMLRenderer)


def ask(
    view: type[MediaDetail], accept: str, method: str = "GET", body: str = "", mrd: str = "5001"
) -> Response:
    headers = {"Authorization": basic("alice"), "Accept": accept}
    request = RequestFactory().generic(method, "/", body, "application/xml", headers=headers)
    response: Any = view.as_view()(request, user_id="alice", mrd_id=mrd)
    rendered: Response = response.render()
    return rendered


@pytest.mark.parametrize(
    ("view", "accept", "content_type"),
    [
        (MediaDetail, "application/json", XML),
        (XMLOrJSON, "application/json", JSON),
        (XMLOrJSON, "text/html, application/json;q=0.5", JSON),
        (XMLOrJSON, "application/xml", XML),
        (XMLOrJSON, "*/*", XML),
        (XMLOrJSON, "text/html", XML),
        (XMLOrJSON, "", XML),
        (JSONOrXML, "application/xml", XML),
        (JSONOrXML, "*/*", JSON),
        (JSONOrXML, "text/html", JSON),
    ],
)
def test_the_first_renderer_writes_unless_the_client_accepts_another_of_the_view(
    view: type[MediaDetail], accept: str, content_type: str
) -> None:
    response = ask(view, accept)
    assert response.status_code == 200
    assert response["Content-Type"] == content_type
    assert response["Content-Length"] == str(len(response.content))


def test_a_second_renderer_gets_the_document_of_the_first() -> None:
    document = json.loads(ask(XMLOrJSON, JSON).content)
    assert list(document) == ["Media"]
    assert document["Media"]["id"] == 5001
    assert document["Media"]["state"] == "LOGOUT"


@pytest.mark.parametrize("view", [XMLOrJSON, JSONOrXML])
def test_a_second_renderer_writes_errors_too(view: type[MediaDetail]) -> None:
    response = ask(view, JSON, mrd="9")
    assert response.status_code == 404
    assert json.loads(response.content) == {
        "ApiErrors": {
            "ApiError": {
                "ErrorData": "9",
                "ErrorMedia": "9",
                "ErrorMessage": "Invalid mrdId specified for media",
                "ErrorType": "Not Found",
            }
        }
    }


def test_an_accepted_request_has_no_body_in_any_format() -> None:
    response = ask(XMLOrJSON, JSON, "PUT", LOGIN)
    assert (response.status_code, response.content) == (202, b"")
    assert "Content-Type" not in response
    assert response["Content-Length"] == "0"


def test_what_a_client_accepts_is_named_in_vary_where_it_matters() -> None:
    assert ask(XMLOrJSON, JSON)["Vary"] == "Accept"
    assert "Vary" not in ask(MediaDetail, JSON)
