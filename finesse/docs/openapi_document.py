"""The OpenAPI document. It depends on the code alone, so each process makes it once."""

import json
import re
import threading
from functools import cache
from typing import Any

import yaml
from drf_spectacular.generators import SchemaGenerator

from finesse import __version__
from finesse.docs.general_texts import GENERAL_RULES, RESOURCES, SUMMARY, TITLE
from finesse.docs.openapi import SECURITY, error_examples

_LONG_ESCAPE = re.compile(r"\\U([0-9a-f]{8})")
_making = threading.Lock()


def document() -> dict[str, Any]:
    """The description of every resource, as OpenAPI 3.1.

    One thread makes it: drf-spectacular's generator fails where two begin at the same time.
    """
    with _making:
        return _document()


@cache
def _document() -> dict[str, Any]:
    generated: dict[str, Any] = _tidied(SchemaGenerator().get_schema(public=True))
    generated["info"] = {
        "title": TITLE,
        "version": __version__,
        "summary": SUMMARY,
        "description": "\n\n".join(GENERAL_RULES),
        "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
    }
    # The server that the document was fetched from.
    generated["servers"] = [{"url": "/"}]
    generated["tags"] = [
        {"name": name, "description": description} for name, description in RESOURCES.items()
    ]
    generated["components"]["examples"] = error_examples()
    generated["components"]["securitySchemes"] = {
        SECURITY: {
            "type": "http",
            "scheme": "basic",
            "description": "The login id and its password, with every request",
        }
    }
    return generated


@cache
def as_json() -> str:
    return json.dumps(document(), indent=2, ensure_ascii=False) + "\n"


@cache
def as_yaml() -> str:
    return yaml.dump(
        json.loads(as_json()), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100
    )


def _tidied(described: Any) -> Any:
    """The document without drf-spectacular's internal notes and its indirect references."""
    if isinstance(described, list):
        return [_tidied(one) for one in described]
    if not isinstance(described, dict):
        return described
    dropped = {"x-spec-enum-id"} | ({"minLength"} if "enum" in described else set())
    kept = {name: _tidied(one) for name, one in described.items() if name not in dropped}
    if isinstance(kept.get("pattern"), str):
        # Python's way to write a character, which JavaScript does not have.
        kept["pattern"] = _LONG_ESCAPE.sub(lambda found: chr(int(found[1], 16)), kept["pattern"])
    # Since OpenAPI 3.1 there may be more beside a reference.
    if "allOf" in kept and len(kept["allOf"]) == 1:
        (reference,) = kept.pop("allOf")
        return {**reference, **kept}
    return kept


class _Dumper(yaml.SafeDumper):
    """Writes a text of several lines on several lines."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)
