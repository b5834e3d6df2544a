"""A change of reason codes is live at once, in every process that serves."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.kit.installation import ON_SERVICES, TIMEOUT_SECONDS, Installation, free_port
from tests.kit.socket_client import watch

LISTS = ("User/1234/ReasonCodes", "TeamResource/1/ReasonCodes")


class Processes(Installation):
    """Two servers of one service: whatever one of them changes, the other is asked for."""

    def start(self) -> None:
        super().start()
        port = free_port()
        self.other = f"http://127.0.0.1:{port}"
        module = "finesse.wsgi" if ON_SERVICES else "tests.kit.wsgi_with_worker"
        self.start_wsgi_server("other server", port, module)
        first, self.url = self.url, self.other
        self.await_status(200)
        self.url = first

    def ask(self, url: str, method: str, path: str, body: str = "", login: str = "admin") -> str:
        """The answer's body, or its Location if it has none."""
        answer = httpx.request(
            method,
            f"{url}/finesse/api/{path}",
            content=body,
            headers={"Content-Type": "application/xml"},
            auth=(login, "finesse"),
            timeout=TIMEOUT_SECONDS,
        )
        self.status = answer.status_code
        return answer.text or answer.headers.get("Location", "")

    def labels(self, url: str, path: str) -> list[str]:
        found = self.ask(url, "GET", f"{path}?category=NOT_READY", login="1234")
        return re.findall("<label>(.*?)</label>", found)

    def choose(self, url: str, pk: str) -> int:
        body = f"<Media><state>NOT_READY</state><reasonCodeId>{pk}</reasonCodeId></Media>"
        self.ask(url, "PUT", "User/1234/Media/5001", body, login="1234")
        return self.status


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Processes]:
    made = Processes(tmp_path)
    made.start()
    yield made
    made.end()


def test_the_next_list_and_the_next_put_obey_a_change_of_another_process(
    service: Processes,
) -> None:
    body = (
        "<ReasonCode><category>NOT_READY</category><code>77</code><label>Fire drill</label>"
        "<forAll>true</forAll></ReasonCode>"
    )
    # Each process has answered before: what it could remember, it remembers.
    for url in (service.url, service.other):
        assert "Fire drill" not in service.labels(url, LISTS[0])
        assert service.choose(url, "1001") == 202
    with watch(service.url, "1234", "finesse") as ana:
        ana.subscribe()

        pk = service.ask(service.other, "POST", "ReasonCode", body).rpartition("/")[2]
        for url in (service.url, service.other):
            assert ["Fire drill" in service.labels(url, path) for path in LISTS] == [True, True]
            assert service.choose(url, pk) == 202

        service.ask(
            service.other,
            "PUT",
            f"ReasonCode/{pk}",
            "<ReasonCode><label>Alarm</label></ReasonCode>",
        )
        for url in (service.url, service.other):
            assert ["Alarm" in service.labels(url, path) for path in LISTS] == [True, True]

        service.ask(service.url, "DELETE", f"ReasonCode/{pk}")
        for url in (service.url, service.other):
            assert ["Alarm" in service.labels(url, path) for path in LISTS] == [False, False]
            assert service.choose(url, pk) == 400

        told = []
        while len(told) < 3:
            frame = ana.receive(TIMEOUT_SECONDS)
            if frame.get("node") == "/finesse/api/ReasonCodes":
                label = re.findall("<label>(.*?)</label>", frame["update"])[0]
                told.append((frame["event"], frame["source"].rpartition("/")[2], label))
    assert told == [("POST", pk, "Fire drill"), ("PUT", pk, "Alarm"), ("DELETE", pk, "Alarm")]
