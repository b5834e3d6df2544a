"""The encodings of text files, as spreadsheets and editors write them."""

import codecs

from finesse.files.tables import FileRefusedError

_MARKS = {
    codecs.BOM_UTF8: ("utf-8", ""),
    codecs.BOM_UTF16_LE: ("utf-16-le", "UTF-16"),
    codecs.BOM_UTF16_BE: ("utf-16-be", "UTF-16"),
}
"""What begins a file: Python's name of the encoding, and its name for people unless it is the
usual one."""
_UNREADABLE = (
    "The file is not a text in UTF-8, UTF-16 or Windows-1252. In the spreadsheet program, save it "
    "as XLSX or as “CSV UTF-8”."
)


def decoded(content: bytes) -> tuple[str, str]:
    """The text, and the name of its encoding if that had to be guessed.

    A byte order mark says which it is. Without one it is UTF-16 if every second byte is zero, and
    otherwise UTF-8 or, as old programs write it, Windows-1252. Raises FileRefusedError.
    """
    for mark, (codec, name) in _MARKS.items():
        if content.startswith(mark):
            return _text(content.removeprefix(mark), codec), name
    if codec := _utf_16_without_mark(content):
        return _text(content, codec), "UTF-16"
    try:
        return _without_zeros(content.decode("utf-8")), ""
    except UnicodeDecodeError:
        return _text(content, "cp1252"), "Windows-1252"


def _utf_16_without_mark(content: bytes) -> str:
    """Text in European languages has a zero in nearly each pair of bytes."""
    sample = content[:2_000]
    even, odd = sample[::2], sample[1::2]
    if odd and odd.count(0) > len(odd) // 2 > even.count(0):
        return "utf-16-le"
    if even and even.count(0) > len(even) // 2 > odd.count(0):
        return "utf-16-be"
    return ""


def _text(content: bytes, codec: str) -> str:
    try:
        return _without_zeros(content.decode(codec))
    except UnicodeDecodeError:
        raise FileRefusedError(_UNREADABLE) from None


def _without_zeros(text: str) -> str:
    if "\0" in text:
        raise FileRefusedError(_UNREADABLE)
    return text
