"""What a line of the log says beside its message: as text for people, as JSON for programs."""

import asyncio
import json
import logging
from typing import Any

import pytest
from django.db import OperationalError

from finesse import log_context
from finesse.log_lines import JSONFormatter, LineFormatter
from finesse.process_name import process_name
from finesse.redaction import REDACTED
from finesse.repeats import LINES_OF_A_KIND, RepeatsFilter
from media.writing import writer
from media.writing.batch import Batch
from tests.conftest import API, LOGIN, basic

logger = logging.getLogger("finesse.tests.fields")


class Written(logging.Handler):
    """The lines as a formatter has written them."""

    def __init__(self, formatter: logging.Formatter) -> None:
        super().__init__()
        self.setFormatter(formatter)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))

    @property
    def objects(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.lines]


def fail(*args: Any, **options: Any) -> None:
    raise ZeroDivisionError


def written(formatter: logging.Formatter, monkeypatch: pytest.MonkeyPatch) -> Written:
    handler = Written(formatter)
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", [*root.handlers, handler])
    return handler


@pytest.fixture
def json_lines(monkeypatch: pytest.MonkeyPatch) -> Written:
    return written(JSONFormatter(), monkeypatch)


@pytest.fixture
def text_lines(monkeypatch: pytest.MonkeyPatch) -> Written:
    return written(LineFormatter("{levelname} {name}: {message}", style="{"), monkeypatch)


def test_a_line_as_json(json_lines: Written) -> None:
    logger.warning("Fifty %s\nof two lines", "per cent")
    assert len(json_lines.lines) == 1
    assert "\n" not in json_lines.lines[0]
    (line,) = json_lines.objects
    assert line.pop("time").endswith("+00:00")
    assert line == {
        "level": "WARNING",
        "logger": "finesse.tests.fields",
        "process": process_name(),
        "message": "Fifty per cent\nof two lines",
    }


def test_a_fault_has_its_traceback_and_an_outage_its_reason(json_lines: Written) -> None:
    for error in (ZeroDivisionError("of ours"), OperationalError("no route\nto host")):
        try:
            raise error
        except type(error):
            logger.exception("It failed")
    fault, outage = (line["error"] for line in json_lines.objects)
    assert fault.startswith("Traceback")
    assert fault.endswith("ZeroDivisionError: of ours")
    assert outage == "OperationalError: no route to host"


def test_passwords_are_kept_out_of_json(json_lines: Written, settings: Any) -> None:
    # JSON writes a quotation mark and a backslash differently: a search of the line finds neither.
    settings.FINESSE_METRICS_TOKEN = 'with"quote\\and-backslash'
    settings.FINESSE_XMPP_SECRET = "Größe-und-Länge"
    logger.warning("Sent %s", 'with"quote\\and-backslash')
    logger.warning("Authorization: Basic %s", "YWxpY2U6c2VjcmV0MTIz")
    try:
        raise ValueError("password=hunter2-of-alice and Größe-und-Länge")
    except ValueError:
        logger.exception("Refused")
    text = "\n".join(json_lines.lines)
    for secret in ("quote", "YWxpY2U6", "hunter2", "Größe", "Gr\\u00f6"):
        assert secret not in text
    assert text.count(REDACTED) >= 4
    assert len(json_lines.objects) == 3


def test_a_line_of_a_request_names_it(
    api: API, cast: Any, text_lines: Written, json_lines: Written, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("media.api.views.accept", fail)
    assert api.put(LOGIN, requestId="r-17").status_code == 500
    (line,) = [one for one in json_lines.objects if one["logger"] == "finesse.api.errors"]
    assert (line["requestId"], line["user"], line["mrd"]) == ("r-17", "alice", "5001")
    text = "ERROR finesse.api.errors: Unexpected error during a request"
    assert f"{text} (requestId r-17, user alice, mrd 5001)" in "\n".join(text_lines.lines)
    # After it there is no request.
    logger.warning("Between requests")
    assert "requestId" not in json_lines.objects[-1]
    assert text_lines.lines[-1] == "WARNING finesse.tests.fields: Between requests"


@pytest.mark.parametrize("request_id", ["r\n2099 ERROR forged", "x" * 256, "ü"])
def test_nobody_writes_lines_of_their_own_with_a_request_id(
    api: API, cast: Any, json_lines: Written, monkeypatch: pytest.MonkeyPatch, request_id: str
) -> None:
    monkeypatch.setattr("media.api.views.accept", fail)
    address = "/finesse/api/User/alice/Media/5001"
    credentials = basic("alice")
    api.client.put(
        address,
        LOGIN,
        "application/xml",
        HTTP_REQUESTID=request_id,
        HTTP_AUTHORIZATION=credentials,
    )
    (line,) = [one for one in json_lines.objects if one["logger"] == "finesse.api.errors"]
    assert line["user"] == "alice"
    assert "requestId" not in line


@pytest.mark.parametrize("mrd", ["5001%0A2099%20ERROR%20forged", "9" * 11, "x"])
def test_nobody_writes_lines_of_their_own_with_a_path(
    api: API, cast: Any, text_lines: Written, monkeypatch: pytest.MonkeyPatch, mrd: str
) -> None:
    monkeypatch.setattr("media.api.views.MediaDetail.get", fail)
    api.get(mrd=mrd)
    (line,) = [one for one in text_lines.lines if "finesse.api.errors" in one]
    assert line.partition("\n")[0].endswith(" during a request (user alice)")


def test_a_request_that_cannot_be_decided_is_named(
    api: API, cast: Any, json_lines: Written, monkeypatch: pytest.MonkeyPatch
) -> None:
    api.put(LOGIN, requestId="good", login="bob", user="bob")
    api.put(LOGIN, requestId="bad")
    decide = Batch._decide

    def fail(self: Batch, request: Any, mrd_id: int) -> None:
        if request.request_id == "bad":
            raise ZeroDivisionError
        decide(self, request, mrd_id)

    monkeypatch.setattr(Batch, "_decide", fail)
    while writer.apply_pending():
        pass
    lines = [one for one in json_lines.objects if one["logger"] == "media.writing.writer"]
    assert lines
    assert {(one["requestId"], one["user"], one["mrd"]) for one in lines} == {
        ("bad", "alice", 5001)
    }


def test_each_accepted_and_each_applied_request_has_a_line_if_that_is_wanted(
    api: API, cast: Any, json_lines: Written, settings: Any, caplog: Any
) -> None:
    caplog.set_level("INFO")

    def lines() -> list[tuple[Any, ...]]:
        found = [
            (one["message"], one.get("requestId"), one["user"], one["mrd"], one.get("position"))
            for one in json_lines.objects
            if one["logger"] == "media.writing.request_lines"
        ]
        json_lines.lines.clear()
        return found

    api.put(LOGIN, requestId="r-1")
    writer.apply_pending()
    assert lines() == []
    settings.FINESSE_LOG_REQUESTS = True
    api.state("READY", requestId="r-2")
    assert lines() == [("Accepted READY", "r-2", "alice", 5001, None)]
    api.state("READY", mrd=5000)
    lines()
    writer.apply_pending()
    ready, error = lines()
    assert ready[:4] == ("Applied READY: changed", "r-2", "alice", 5001)
    assert ready[4] + 1 == error[4]
    assert error[:2] == ("Applied READY: E_ARM_STAT_AGENT_NOT_LOGGED_IN", None)


def test_lines_that_are_wanted_each_are_not_summed_up() -> None:
    one = RepeatsFilter()
    for _ in range(3 * LINES_OF_A_KIND):
        record = logging.LogRecord("x", logging.INFO, "path", 1, "text", None, None)
        record.is_one_of_each = True
        assert one.filter(record)


async def test_what_tasks_are_about_is_not_mixed_up() -> None:
    async def work(login_id: str) -> dict[str, object]:
        log_context.subject.set(log_context.OfUser(login_id))
        await asyncio.sleep(0)
        return log_context.fields()

    found = await asyncio.gather(*(work(f"{number}") for number in range(5)))
    assert found == [{"user": f"{number}"} for number in range(5)]
    assert log_context.fields() == {}
