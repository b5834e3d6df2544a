"""The OpenAPI document of the API of reports, from its tables and parameters."""

from functools import cache
from typing import Any

from finesse import __version__
from media.reports import tables
from media.reports.files import KINDS
from media.reports.periods import Step
from media.reports.requested import MOST_ITEMS, USUAL_ITEMS
from media.reports.sums import By

_NUMBERS = {"stays", "began", "open", "over", "corrections", "signIns", "id", "mrdId"}
_MAY_BE_NULL = {
    *("teamId", "mrdId", "reasonCodeId", "code", "firstCode", "endedAt", "correctedAt"),
    "signedInSince",
}
_EXPLAINED = {
    "stays": "Stays that touch this part of the period: parts beside each other both count one "
    "that goes on from one into the other",
    "began": "Stays that began in this part of the period: each counts in one part alone",
    "meanSeconds": "The time in this part, divided by `stays`",
    "longestSeconds": "Of the longest of `stays`, from its own beginning until its end or the end "
    "of this part",
}
"""Of sums."""
_REPORTS = {
    "sums": (
        tables.SUMS,
        "Time in states and for reasons: sums for each part of the period and each group",
    ),
    "stays": (tables.STAYS, "The stays themselves, by agent, MRD and beginning"),
    "sign-ins": (tables.SIGN_INS, "When agents were signed in, on each day"),
}


@cache
def document() -> dict[str, Any]:
    return {
        "openapi": "3.1.1",
        "info": {
            "title": "Reports of Finesse Media",
            "version": __version__,
            "summary": "History and reports for programs; not a part of Cisco's API",
        },
        "servers": [{"url": "/"}],
        "security": [{"basic": []}],
        "paths": {f"/finesse-media/api/reports/{name}": _path(name) for name in _REPORTS},
        "components": {
            "securitySchemes": {"basic": {"type": "http", "scheme": "basic"}},
            "schemas": {
                "Error": {
                    "type": "object",
                    "required": ["error"],
                    "properties": {"error": {"type": "string"}, "type": {"type": "string"}},
                },
                **{name: _item(name, columns) for name, (columns, _) in _REPORTS.items()},
            },
        },
    }


def _path(name: str) -> dict[str, Any]:
    _, summary = _REPORTS[name]
    errors = {
        status: {
            "description": text,
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
        }
        for status, text in {
            "400": "A parameter is wrong, and the error says which",
            "401": "Login id or password is wrong or missing",
            "503": "Out of service",
        }.items()
    }
    return {
        "get": {
            "operationId": f"get-{name}",
            "summary": summary,
            "parameters": _parameters(with_groups=name == "sums"),
            "responses": {
                "200": {
                    "description": "A page of items, or the whole as a file",
                    "content": {
                        "application/json": {"schema": _page(name)},
                        **{
                            content_type.partition(";")[0]: {}
                            for kind, (_, content_type) in KINDS.items()
                            if kind != "json"
                        },
                    },
                },
                **errors,
            },
        }
    }


def _page(name: str) -> dict[str, Any]:
    reference = {"$ref": f"#/components/schemas/{name}"}
    text = {"type": "string"}
    page = {
        "type": "object",
        "required": ["from", "to", "zone", "items", "next"],
        "properties": {
            "from": text,
            "to": text,
            "zone": text,
            "items": {"type": "array", "items": reference, "maxItems": MOST_ITEMS},
            "next": {
                "type": ["string", "null"],
                "description": "The query of the next page; null after the last one",
            },
        },
    }
    return {"oneOf": [page, {"type": "array", "items": reference}]}


def _parameters(*, with_groups: bool) -> list[dict[str, Any]]:
    texts = {
        "from": "The first day, as 2026-11-29, or a time, as 2026-11-29T08:00",
        "to": "The last day, or the time before which the period ends; without it, one day",
        "zone": "The time zone of days, as Europe/Berlin; the server's without it",
        "team": "Ids of teams, by commas",
        "agent": "Login ids, by commas",
        "mrd": "Ids of MRDs, by commas; 1 is the desktop",
        "after": "Where the last page ended: as in `next`",
    }
    schemas: dict[str, dict[str, Any]] = {name: {"type": "string"} for name in texts}
    if with_groups:
        texts["step"] = "The length of the parts; without it, the whole period is one"
        schemas["step"] = {"type": "string", "enum": [one.value for one in Step if one]}
        texts["by"] = f"Groups, by commas, of: {', '.join(By)}; without it, state,reason"
        schemas["by"] = {"type": "string"}
    texts["format"] = "All of it, as a file"
    schemas["format"] = {"type": "string", "enum": [*KINDS]}
    texts["limit"] = "Items on a page"
    schemas["limit"] = {
        "type": "integer",
        "minimum": 1,
        "maximum": MOST_ITEMS,
        "default": USUAL_ITEMS,
    }
    return [
        {
            "name": name,
            "in": "query",
            "required": name == "from",
            "description": text,
            "schema": schemas[name],
        }
        for name, text in texts.items()
    ]


def _item(report: str, columns: tuple[str, ...]) -> dict[str, Any]:
    explained = _EXPLAINED if report == "sums" else {}
    return {
        "type": "object",
        "required": [*columns],
        "properties": {
            name: _schema(name) | ({"description": explained[name]} if name in explained else {})
            for name in columns
        },
    }


def _schema(name: str) -> dict[str, Any]:
    if name in _NUMBERS or name.endswith("Id") or name in {"code", "firstCode"}:
        kind = "integer"
    elif name == "seconds" or name.endswith("Seconds"):
        kind = "number"
    else:
        kind = "string"
    return {"type": [kind, "null"] if name in _MAY_BE_NULL else kind}
