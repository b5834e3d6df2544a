"""The paths of the API as the protocol's pages write them, and in the order of reading."""

import re
from collections.abc import Callable, Iterable
from typing import Any

from finesse.docs.general_texts import RESOURCES

Endpoint = tuple[str, str, str, Callable[..., Any]]


def name_paths(endpoints: Iterable[Endpoint]) -> list[Endpoint]:
    """Paths as the protocol's pages write them: no slash at the end, `{mrdId}` for `mrd_id`.

    In the order of reading: by resource, one object before a list of them.
    """
    named = [
        (camel_case(path.rstrip("/")), regex, method, callback)
        for path, regex, method, callback in endpoints
    ]
    return sorted(named, key=_in_order_of_reading)


def resource_of(path: str) -> str:
    """The resource of a path: below a user or a team, it is named by the next part."""
    literals = [part for part in parts_of(path) if not part.startswith("{")]
    owners = {"User", "Team", "TeamResource"}
    resource = next((part for part in literals if part not in owners), literals[0])
    return _RESOURCES_OF_LISTS.get(resource, resource)


_RESOURCES_OF_LISTS = {
    "ReasonCodes": "ReasonCode",
    "Users": "User",
    "Teams": "Team",
    **dict.fromkeys(
        ("Queues", "WrapUpReasons", "PhoneBooks", "MediaPropertiesLayouts", "ClientLog"), "Desktop"
    ),
}


def _in_order_of_reading(endpoint: Endpoint) -> tuple[int, bool, str, int]:
    path, _, method, _ = endpoint
    by_resource = list(RESOURCES).index(resource_of(path))
    by_method = ["GET", "PUT", "POST", "DELETE"].index(method)
    return by_resource, not path.endswith("}"), path, by_method


def parts_of(path: str) -> list[str]:
    return path.removeprefix("/finesse/api/").split("/")


def camel_case(path: str) -> str:
    return re.sub(r"_([a-z])", lambda letter: letter[1].upper(), path)
