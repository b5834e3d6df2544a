"""Reason codes that checks make, and that are gone afterwards."""

import random
import uuid
from types import TracebackType

from kit.client import Answer, Caller
from kit.documents import document
from kit.evidence import Node

ELEMENTS = ("uri", "id", "category", "code", "label", "forAll", "systemCode")


def reason_code(**children: object) -> str:
    return document("ReasonCode", **children)


def new_label() -> str:
    return f"Conformance {uuid.uuid4().hex[:12]}"


class ReasonCodes:
    """As an administrator. Leaving it deletes what was made in it."""

    def __init__(self, admin: Caller) -> None:
        self.admin = admin
        self._made: list[str] = []
        self._taken: set[int] = set()

    def __enter__(self) -> "ReasonCodes":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for pk in self._made:
            answer = self.admin.delete(f"ReasonCode/{pk}")
            if answer.status not in {200, 404}:
                answer.fail("status 200 or 404", f"status {answer.status}")

    def free_code(self) -> int:
        """A code that no category has."""
        if not self._taken:
            listed = self.admin.get("ReasonCodes?category=ALL").document("ReasonCodes")
            self._taken = {int(one.text("code")) for one in listed.every("ReasonCode")}
        free = random.choice(list(set(range(30_000, 32_000)) - self._taken))
        self._taken.add(free)
        return free

    def fields(self, **fields: object) -> dict[str, object]:
        """What a new one is made of."""
        new: dict[str, object] = {
            "category": "NOT_READY",
            "code": self.free_code(),
            "label": new_label(),
            "forAll": True,
        }
        return {**new, **fields}

    def post(self, **fields: object) -> Answer:
        """Ask for one; whatever is made will be deleted."""
        answer = self.admin.post("ReasonCode", reason_code(**self.fields(**fields)))
        if answer.status in {200, 201} and (pk := id_of(answer)):
            self._made.append(pk)
        return answer

    def make(self, **fields: object) -> str:
        """The id of a new one."""
        answer = self.post(**fields).is_(200)
        return id_of(answer) or answer.fail("a Location of the new object", "none")

    def get(self, pk: str) -> Node:
        return self.admin.get(f"ReasonCode/{pk}").document("ReasonCode")


def id_of(answer: Answer) -> str:
    """The id at the end of the Location."""
    head, _, pk = answer.headers.get("location", "").rpartition("/finesse/api/ReasonCode/")
    return pk.strip("/") if head or pk else ""
