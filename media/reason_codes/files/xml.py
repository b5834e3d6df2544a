"""The XML that a Finesse server's `GET /ReasonCodes` returns, as a table and back [ReasonCode]."""

from collections.abc import Collection, Iterable, Iterator

from finesse.api.errors import FinesseError
from finesse.api.xml import Children, Tree, boolean, parse, render
from finesse.files.encodings import decoded
from finesse.files.limits import XML_ATTRIBUTES, XML_TAGS
from finesse.files.tables import FileRefusedError, Table, table_of
from media.reason_codes.files.columns import EVERYBODY, OFFERED_TO
from reasoncodes.documents import represent_list
from reasoncodes.models import ReasonCode

_HEAD = ("category", "code", "label", OFFERED_TO, "system")
_NO_LIST = (
    "This XML is no list of reason codes. Save what the Finesse server answers at "
    "/finesse/api/ReasonCodes?category=ALL: it begins with <ReasonCodes>."
)
_NOTE = "It is the list of a Finesse server. Its first code is counted as row 2."
_BYTE_ORDER_MARKS = (b"\xff\xfe", b"\xfe\xff")


def read(content: bytes) -> Table:
    """A code that is not for all has no word of its teams: its cell is empty.

    Raises FileRefusedError.
    """
    charset = ""
    if content.startswith(_BYTE_ORDER_MARKS) or b"\0" in content[:4]:
        content, charset = decoded(content)[0].encode(), "utf-8"
    try:
        document = parse(content, charset, most_tags=XML_TAGS, most_attributes=XML_ATTRIBUTES)
    except FinesseError as error:
        raise FileRefusedError(f"{error.message.replace('The body', 'The file')}.") from None
    rows = [_HEAD, *(_cells(code) for code in _codes(document))]
    return table_of(rows, [_NOTE])


def _codes(document: dict[str, Tree]) -> Iterator[Children]:
    ((root, content),) = document.items()
    if root == "ReasonCode":
        content = Children([(root, content)])
    elif root != "ReasonCodes":
        raise FileRefusedError(_NO_LIST)
    if not isinstance(content, Children):
        raise FileRefusedError("This list of reason codes is empty.")
    for code in content.every("ReasonCode"):
        if not isinstance(code, Children):
            raise FileRefusedError(_NO_LIST)
        yield code


def _cells(code: Children) -> tuple[str, ...]:
    for_all, system = _boolean(code, "forAll"), _boolean(code, "systemCode")
    return (
        code.text("category"),
        code.text("code"),
        code.text("label"),
        EVERYBODY if for_all else "",
        "yes" if system else "no",
    )


def _boolean(code: Children, name: str) -> bool:
    try:
        return boolean(code.text(name) or "false")
    except ValueError:
        raise FileRefusedError(f"<{name}> must be true or false: {code.text(name)}.") from None


def write(codes: Collection[ReasonCode]) -> bytes:
    """As the API answers, without retired codes."""
    listed: Iterable[ReasonCode] = [code for code in codes if not code.retired]
    return render(represent_list(list(listed), "ALL"), pretty=True).encode()
