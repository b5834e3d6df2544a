"""Reads reason codes from requests; each mistake raises an error of the table."""

import re

from django.core.exceptions import ValidationError
from rest_framework.request import Request

from finesse.api.errors import (
    BAD_REQUEST,
    PARAMETER_INVALID,
    PARAMETER_MISSING,
    REASON_CODE_STALE,
    FinesseError,
)
from finesse.api.xml import Children, boolean, identifier
from reasoncodes.models import Category, ReasonCode

ALL = "ALL"
"""Stands for both categories in the administrators' list."""
_CATEGORIES = tuple(Category.values)
_MAX_CODE = 65535
_URI = re.compile(r"(?:https?://[^/]+)?/finesse/api/ReasonCode/([^/]+)/?")


def read_category(request: Request, *others: str) -> str:
    """The category that a query must name: NOT_READY, LOGOUT or one of `others`.

    Raises FinesseError `Bad Request`.
    """
    given = request.query_params.get("category", "")
    known = (*_CATEGORIES, *others)
    if given not in known:
        raise BAD_REQUEST(reason=f"The category must be {' or '.join(known)}")
    return given


def read_new(children: Children) -> ReasonCode:
    """A new reason code with all required fields, not saved yet.

    Raises FinesseError `Parameter Missing` or `Invalid Input`.
    """
    for name in ("category", "code", "label", "forAll"):
        if name not in children:
            raise PARAMETER_MISSING(parameter=name)
    reason_code = ReasonCode(category=children.text("category"))
    if reason_code.category not in Category.values:
        raise _invalid("category")
    _read_changeable(children, reason_code)
    if "systemCode" in children and _boolean(children, "systemCode"):
        raise _invalid("systemCode")
    return reason_code


def read_changes(children: Children, reason_code: ReasonCode) -> None:
    """Sets code, label and forAll of the reason code as far as they are given; does not save it.

    Clients send the whole object back, so unchangeable fields may be present with their present
    values. Raises FinesseError `Invalid Input`, also if no changeable field is given
    [ReasonCode—Update].
    """
    if not children.keys() & {"code", "label", "forAll"}:
        raise _invalid("code")
    if "category" in children and children.text("category") != reason_code.category:
        raise _invalid("category")
    _read_changeable(children, reason_code)
    if "systemCode" in children and _boolean(children, "systemCode") != reason_code.system_code:
        raise _invalid("systemCode")


def read_references(children: Children) -> list[int]:
    """The ids of the reason codes in a list, from each one's uri or else its id.

    Raises FinesseError `Parameter Missing`, `Invalid Input` or, for an impossible id, `Finesse API
    Error`.
    """
    if children and "ReasonCode" not in children:
        raise BAD_REQUEST(reason="The list must contain <ReasonCode> elements only")
    return [
        _referenced(one if isinstance(one, Children) else Children())
        for one in children.every("ReasonCode")
    ]


def _referenced(children: Children) -> int:
    uri, text = children.text("uri"), children.text("id")
    if not uri and not text:
        raise PARAMETER_MISSING(parameter="uri")
    if uri:
        named = _URI.fullmatch(uri)
        if named is None:
            raise _invalid("uri")
        text = named[1]
    pk = identifier(text)
    if not pk:
        raise REASON_CODE_STALE(id=text)
    return pk


def _read_changeable(children: Children, reason_code: ReasonCode) -> None:
    if "code" in children:
        reason_code.code = identifier(children.text("code"), upto=_MAX_CODE)
        if not reason_code.code:
            raise _invalid("code")
    if "label" in children:
        reason_code.label = _label(children)
    if "forAll" in children:
        reason_code.for_all = _boolean(children, "forAll")


def _label(children: Children) -> str:
    label = children["label"]
    if not isinstance(label, str):
        raise _invalid("label")
    try:
        # The parser has trimmed it [Manage Reason Codes]; the model's field validates it.
        return str(ReasonCode._meta.get_field("label").clean(label, None))
    except ValidationError:
        raise _invalid("label") from None


def _boolean(children: Children, name: str) -> bool:
    try:
        return boolean(children.text(name))
    except ValueError:
        raise _invalid(name) from None


def _invalid(parameter: str) -> FinesseError:
    return PARAMETER_INVALID(parameter=parameter, object="reason code")
