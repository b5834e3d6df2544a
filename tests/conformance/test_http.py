"""HTTP: methods, paths, types, headers."""

import pytest
from kit.agent import Agent
from kit.client import TIMESTAMP, Answer, Caller
from kit.configuration import Configuration
from kit.documents import media
from kit.pages import (
    CLIENT,
    CLIENT_REQUESTS,
    CORS,
    LAYOUT_ERRORS,
    MEDIA_ERRORS,
    MEDIA_PARAMETERS,
    PARAMETER_TYPES,
    RFC_9110,
    SEED,
    TEAM,
    guide,
)
from kit.statements import choice, statement


@statement("Objects are read by GET, the answer is 200 and XML", CLIENT_REQUESTS, SEED)
def test_get(agent: Agent) -> None:
    agent.get(agent.media_path()).is_(200).is_xml().document("Media")


@statement("Unknown query parameters, as nocache, and headers, as locale, are ignored", CLIENT)
def test_unknown_query(agent: Agent) -> None:
    plain = agent.get_media()
    headers = {"locale": "en_US", "X-Unknown": "1", "Accept": "application/json"}
    answer = agent.get(f"{agent.media_path()}?nocache=1448352000000&x=y", headers=headers)
    answer.is_xml().document("Media").equals(plain)


@statement("The type Application/XML is understood in any case of its letters", SEED, CLIENT)
@pytest.mark.parametrize("written", ["Application/XML", "application/xml", "APPLICATION/XML"])
def test_content_type_case(agent: Agent, written: str) -> None:
    agent.is_in("NOT_READY")
    answer = agent.put_media("<Media/>", content_type=written)
    answer.refuses(400, "Parameter Missing", data="state")


@choice("text/xml, a charset parameter and no type at all are understood, too", SEED)
@pytest.mark.parametrize("written", ["text/xml", "application/xml; charset=UTF-8", None])
def test_other_content_types(agent: Agent, written: str | None) -> None:
    answer = agent.put_media("<Media/>", content_type=written)
    answer.refuses(400, "Parameter Missing", data="state")


@choice("A body that is said not to be XML is 400 Bad Request", SEED)
@pytest.mark.parametrize("written", ["application/json", "text/plain", "multipart/form-data"])
def test_wrong_content_type(agent: Agent, written: str) -> None:
    agent.put_media(media("READY"), content_type=written).refuses(400, "Bad Request")


@choice("A path is the same with a slash at its end, and nothing is redirected", TEAM)
@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_trailing_slash(agent: Agent, method: str) -> None:
    answer = agent.caller.send(method, f"{agent.media_path()}/", "<Media/>" * (method == "PUT"))
    if method == "GET":
        answer.document("Media").equals(agent.get_media())
    else:
        answer.refuses(400, "Parameter Missing", data="state")


@choice(
    "A path is the text that it is: of one case, and ids have no zeros before them",
    CLIENT_REQUESTS,
    PARAMETER_TYPES,
)
@pytest.mark.parametrize(
    "path", ["user/{login}/Media", "User/{login}/media", "systeminfo", "User/{login}/Media/0{mrd}"]
)
def test_path_case(agent: Agent, path: str) -> None:
    agent.get(path.format(login=agent.login, mrd=agent.mrd)).is_(404)


@choice("What is no resource is answered 404 Not Found in the form of all errors", MEDIA_ERRORS)
@pytest.mark.parametrize("path", ["Nothing", "User", "Media/5001", "User/{login}/Media/{mrd}/x"])
def test_no_resource(agent: Agent, path: str) -> None:
    agent.get(path.format(login=agent.login, mrd=agent.mrd)).refuses(404, "Not Found")


@statement(
    "An unsupported method is 405 Method Not Allowed, and Allow names the supported ones",
    LAYOUT_ERRORS,
    RFC_9110,
)
@pytest.mark.parametrize("method", ["POST", "DELETE", "PATCH"])
def test_unsupported_method(agent: Agent, method: str) -> None:
    answer = agent.caller.send(method, agent.media_path())
    allows(answer.refuses(405, "Method Not Allowed"))


def allows(answer: Answer) -> None:
    allowed = answer.headers.get("allow", "")
    if not {"GET", "PUT"} <= set(allowed.replace(" ", "").split(",")):
        answer.fail("Allow with GET and PUT", allowed or "none")


@choice("OPTIONS names the supported methods in Allow, with an empty body", CLIENT_REQUESTS)
def test_options(agent: Agent) -> None:
    allows(agent.caller.send("OPTIONS", agent.media_path()).is_(200).is_empty())


@statement("HEAD is answered as GET, without a body", RFC_9110)
def test_head(agent: Agent) -> None:
    answer = agent.caller.send("HEAD", agent.media_path()).is_(200).is_empty().is_xml()
    expected = agent.get(agent.media_path()).headers.get("content-length")
    if expected is not None and "content-length" in answer.headers:
        answer.header("content-length", expected)


# --- requestId ------------------------------------------------------------------------------------


@statement("The requestId of a request comes back in the header of its 202", SEED)
def test_request_id_on_success(agent: Agent) -> None:
    agent.is_in("READY")
    answer = agent.put_media(media("READY"), request_id="conformance-7")
    answer.accepted().header("requestId", "conformance-7")


@statement("The requestId of a request comes back in the header of its error", SEED, MEDIA_ERRORS)
def test_request_id_on_error(agent: Agent) -> None:
    answer = agent.put_media("<Media/>", request_id="conformance-8")
    answer.is_(400).header("requestId", "conformance-8")


@statement("A GET, and a request without a requestId, is answered without one", guide(22), SEED)
def test_request_id_of_get(agent: Agent) -> None:
    agent.get(agent.media_path(), request_id="conformance-9").lacks_header("requestId")
    agent.put_media("<Media/>").lacks_header("requestId")


@choice(
    "A requestId of 1 to 255 printable ASCII characters comes back; another is dropped, "
    "and the request served all the same",
    guide(22),
)
def test_odd_request_id(agent: Agent) -> None:
    agent.is_in("READY")
    longest = "".join(map(chr, range(0x21, 0x7F))) + "x" * (255 - 94)
    agent.put_media(media("READY"), request_id=longest).accepted().header("requestId", longest)
    for odd in (b"x" * 256, b"caf\xc3\xa9", b"\xff"):
        answer = agent.put_media(media("READY"), request_id=odd)
        answer.accepted().lacks_header("requestId")


# --- Values ---------------------------------------------------------------------------------------


@statement("A time is UTC with milliseconds, YYYY-MM-DDThh:MM:ss.SSSZ", MEDIA_PARAMETERS)
def test_timestamps(agent: Agent) -> None:
    agent.is_fresh()
    shown = agent.get_media()
    if not TIMESTAMP.fullmatch(shown.text("stateChangeTime")):
        shown.fail("such a <stateChangeTime>", shown.text("stateChangeTime"))


# --- Across origins -------------------------------------------------------------------------------


@statement("A page of an origin that is not allowed gets no Access-Control-Allow-Origin", CORS)
def test_other_origin(agent: Agent) -> None:
    headers = {"Origin": "https://conformance.invalid"}
    agent.get(agent.media_path(), headers=headers).lacks_header("access-control-allow-origin")


@statement("A page of an allowed origin may read the answers", CORS)
def test_allowed_origin(agent: Agent, configuration: Configuration) -> None:
    origin = configuration["origin"]
    answer = agent.get(agent.media_path(), headers={"Origin": origin})
    answer.is_(200).header("access-control-allow-origin", origin)


@statement("A page of an allowed origin may send PUT, Authorization and requestId", CORS)
def test_preflight(nobody: Caller, agent: Agent, configuration: Configuration) -> None:
    headers = {
        "Origin": configuration["origin"],
        "Access-Control-Request-Method": "PUT",
        "Access-Control-Request-Headers": "authorization,content-type,requestid",
    }
    answer = nobody.send("OPTIONS", agent.media_path(), headers=headers)
    answer.header("access-control-allow-origin", configuration["origin"])
    allowed = answer.headers.get("access-control-allow-headers", "").lower().replace(" ", "")
    if not {"authorization", "content-type", "requestid"} <= set(allowed.split(",")):
        answer.fail("these headers to be allowed", allowed or "none")
    if "PUT" not in answer.headers.get("access-control-allow-methods", ""):
        answer.fail("PUT to be allowed", answer.headers.get("access-control-allow-methods", "none"))


@choice("A page of an allowed origin may read the requestId", CORS)
def test_exposed(agent: Agent, configuration: Configuration) -> None:
    answer = agent.put_media("<Media/>", headers={"Origin": configuration["origin"]})
    exposed = answer.headers.get("access-control-expose-headers", "")
    if "requestid" not in exposed.lower().replace(" ", "").split(","):
        answer.fail("requestId to be exposed", exposed or "nothing")
