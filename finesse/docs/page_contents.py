"""The contents of the pages, from the OpenAPI document alone."""

import shlex
from dataclasses import dataclass
from functools import cache
from typing import Any

from finesse.api.errors import TABLE
from finesse.docs.error_examples import error_document, error_update, sample
from finesse.docs.explanations import EXPLANATIONS, Explanation
from finesse.docs.field_tables import Field, fields_of, kind_of, resolved
from finesse.docs.general_texts import PARAMETERS, QUERIES, RESOURCES, STATUSES
from finesse.docs.openapi import XML
from finesse.docs.openapi_document import document


@dataclass(frozen=True, slots=True)
class Body:
    """A document with its fields and an example."""

    name: str
    text: str
    example: str
    fields: list[Field]


@dataclass(frozen=True, slots=True)
class OperationEntry:
    """An operation as the pages show it."""

    id: str
    method: str
    path: str
    resource: str
    summary: str
    text: str
    callers: str
    page: str
    login: str
    parameters: list[Field]
    bodies: list[Body]
    status: int
    outcome: str
    headers: dict[str, str]
    answer: Body | None
    errors: list["ErrorEntry"]
    later: list["ErrorEntry"]
    notification: str


@dataclass(frozen=True, slots=True)
class NotificationEntry:
    """A notification as the pages show it."""

    name: str
    node: str
    source: str
    page: str
    events: dict[str, str]
    example: str


@dataclass(frozen=True, slots=True)
class ErrorEntry:
    """An error as the pages show it."""

    name: str
    status: int
    type: str
    message: str
    data: str

    @property
    def explanation(self) -> Explanation:
        return EXPLANATIONS[self.name]


@dataclass(frozen=True, slots=True)
class ResourceEntry:
    name: str
    text: str
    operations: list[OperationEntry]


def resources() -> list[ResourceEntry]:
    return [
        ResourceEntry(name, text, [one for one in operations() if one.resource == name])
        for name, text in RESOURCES.items()
    ]


@cache
def operations() -> list[OperationEntry]:
    return [
        _operation(path, method, described)
        for path, methods in document()["paths"].items()
        for method, described in methods.items()
    ]


@cache
def notifications() -> list[NotificationEntry]:
    found = {
        (one := described["x-notification"])["name"]: NotificationEntry(
            one["name"], one["node"], one["source"], one["page"], one["events"], one["example"]
        )
        for methods in document()["paths"].values()
        for described in methods.values()
        if "x-notification" in described
    }
    of_resources = [name for name in RESOURCES if name in found]
    return [found[name] for name in dict.fromkeys((*of_resources, *found))]


@cache
def errors() -> list[ErrorEntry]:
    return [_error(name) for name in TABLE]


def operations_with(name: str) -> list[OperationEntry]:
    """The operations whose answer may be this error."""
    return [one for one in operations() if any(error.name == name for error in one.errors)]


def operations_failing_later(name: str) -> list[OperationEntry]:
    """The operations that may end in this error after the 202."""
    return [one for one in operations() if any(error.name == name for error in one.later)]


def http_form(name: str) -> str:
    """The body of the answer; empty if the error occurs only after the 202."""
    answering = operations_with(name)
    if operations_failing_later(name) and not answering:
        return ""
    with_media = any(_is_about_media(one) for one in answering)
    return error_document(TABLE[name], with_media=with_media)


def media_is_optional(name: str) -> bool:
    """Whether some operations with this error name an MRD and others do not."""
    may_name_it = "ErrorMedia" in TABLE[name].elements
    return may_name_it and len({_is_about_media(one) for one in operations_with(name)}) > 1


def _is_about_media(operation: OperationEntry) -> bool:
    return "/Media/{mrdId}" in operation.path


def notification_form(name: str) -> str:
    """The notification; empty if the error occurs only as an answer."""
    failing_later = operations_failing_later(name)
    if not failing_later:
        return ""
    about_media = any(one.notification == "Media" for one in failing_later)
    return error_update(TABLE[name], about_media=about_media)


def curl(operation: OperationEntry, base: str, password: str) -> str:
    """A command to copy. Without a password in it, curl prompts for one."""
    words = ["curl", "-i"]
    if operation.login:
        words += ["-u", f"{operation.login}:{password}" if password else operation.login]
    if operation.method != "GET":
        words += ["-X", operation.method]
    if operation.bodies:
        words += ["-H", "Content-Type: application/xml"]
    if operation.method != "GET":
        words += ["-H", "requestId: r-1"]
    if operation.bodies:
        words += ["-d", operation.bodies[0].example]
    path = operation.path.format(**{name: one.example for name, one in PARAMETERS.items()})
    queries = [f"{one.name}={QUERIES[one.name]}" for one in operation.parameters]
    return shlex.join([*words, base + path + ("?" + "&".join(queries) if queries else "")])


def _error(name: str) -> ErrorEntry:
    row = TABLE[name]
    error = sample(row)
    return ErrorEntry(name, row.status, row.type, error.message, error.data)


def _operation(path: str, method: str, described: dict[str, Any]) -> OperationEntry:
    status, answered = next(
        (int(code), one) for code, one in described["responses"].items() if int(code) < 300
    )
    notification = described.get("x-notification", {})
    return OperationEntry(
        id=described["operationId"],
        method=method.upper(),
        path=path,
        resource=described["tags"][0],
        summary=described["summary"],
        text=described.get("description", ""),
        callers=described["x-callers"],
        page=described["x-page"],
        login=described.get("x-example-login", ""),
        parameters=[
            Field(one["name"], kind_of(one["schema"]), True, one["description"])
            for one in described.get("parameters", [])
            if one["in"] == "query"
        ],
        bodies=_bodies(described.get("requestBody", {})),
        status=status,
        outcome=STATUSES[status, "content" in answered],
        headers={
            name: one["description"]
            for name, one in answered.get("headers", {}).items()
            if name != "requestId"
        },
        answer=next(iter(_bodies(answered)), None),
        errors=[_error(name) for name in described["x-errors"]],
        later=[_error(name) for name in notification.get("errors", [])],
        notification=notification.get("name", ""),
    )


def _bodies(described: dict[str, Any]) -> list[Body]:
    """The documents that a request or an answer may have."""
    if "content" not in described:
        return []
    content = described["content"][XML]
    schema = resolved(content["schema"])
    forms = schema.get("oneOf") or [content["schema"]]
    examples = [one["value"] for one in content.get("examples", {}).values()]
    return [
        Body(
            name=resolved(form)["xml"]["name"],
            text=resolved(form).get("description", ""),
            example=example,
            fields=list(fields_of(resolved(form))),
        )
        for form, example in zip(forms, examples, strict=True)
    ]
