"""A PUT and the notification of its outcome, through a running installation."""

from xml.etree.ElementTree import fromstring

import httpx

from tests.kit.installation import (
    TIMEOUT_SECONDS,
)
from tests.kit.socket_client import watch

READY = "<Media><state>READY</state></Media>"


LUNCH = "<Media><state>NOT_READY</state><reasonCodeId>1001</reasonCodeId></Media>"


def assert_a_put_ends_in_its_notification(
    url: str, password: str = "finesse", *, put_to: str = "", request_id: str = "r-1"
) -> None:
    with watch(url, "2001", password) as dana:
        dana.subscribe()
        answer = httpx.put(
            f"{put_to or url}/finesse/api/User/1234/Media/5001",
            content=LUNCH if request_id == "r-1" else READY,
            headers={"Content-Type": "application/xml", "requestId": request_id},
            auth=("1234", password),
            timeout=TIMEOUT_SECONDS,
        )
        assert answer.status_code == 202
        while (frame := dana.receive(TIMEOUT_SECONDS))["node"] != "/finesse/api/User/1234/Media":
            pass
    state = fromstring(frame["update"]).findtext("data/Media/state")
    assert state == ("NOT_READY" if request_id == "r-1" else "READY")
