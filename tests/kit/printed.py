"""What Chromium has printed: the text of each page of its PDF, in the order in which it was drawn.

It knows the PDFs of Chromium (Skia) alone: pages with their fonts in plain objects, text as numbers
of glyphs, and a table in each font that says which letters these are. Text is without blanks: where
letters are moved closer together a word has several parts.
"""

import re
import zlib
from typing import TypeAlias

Letters: TypeAlias = dict[int, str]


def pages(pdf: bytes) -> list[str]:
    objects = {
        int(number): body
        for number, body in re.findall(rb"(\d+) 0 obj\b(.*?)endobj", pdf, re.DOTALL)
    }
    of_fonts: dict[int, Letters] = {}
    found = []
    for body in objects.values():
        if re.search(rb"/Type /Page\b", body):
            fonts = {
                name: of_fonts.setdefault(int(number), _letters(objects, int(number)))
                for name, number in re.findall(rb"/(F\d+) (\d+) 0 R", body)
            }
            contents = re.search(rb"/Contents (\d+) 0 R", body)
            assert contents
            found.append(_text(_stream(objects[int(contents[1])]), fonts))
    return found


def _stream(body: bytes) -> bytes:
    start = body.index(b"stream") + len(b"stream")
    data = body[start:].lstrip(b"\r\n")
    return zlib.decompressobj().decompress(data) if b"FlateDecode" in body[:start] else data


def _letters(objects: dict[int, bytes], font: int) -> Letters:
    table = re.search(rb"/ToUnicode (\d+) 0 R", objects[font])
    if not table:
        return {}
    written = _stream(objects[int(table[1])]).decode("ascii", "replace")
    found: Letters = {}
    for block in re.findall(r"beginbfchar(.*?)endbfchar", written, re.DOTALL):
        for glyph, letters in re.findall(r"<(\w+)>\s*<(\w+)>", block):
            found[int(glyph, 16)] = bytes.fromhex(letters).decode("utf-16-be")
    for block in re.findall(r"beginbfrange(.*?)endbfrange", written, re.DOTALL):
        for first, last, letter in re.findall(r"<(\w+)>\s*<(\w+)>\s*<(\w+)>", block):
            for place, glyph in enumerate(range(int(first, 16), int(last, 16) + 1)):
                found[glyph] = chr(int(letter, 16) + place)
    return found


def _text(content: bytes, fonts: dict[bytes, Letters]) -> str:
    font: Letters = {}
    words = []
    for name, block in re.findall(rb"/(F\d+) \S+ Tf|((?:<[0-9A-Fa-f]+>[^<>]*?)T[jJ])", content):
        if name:
            font = fonts.get(name, {})
            continue
        glyphs = "".join(part.decode() for part in re.findall(rb"<([0-9A-Fa-f]+)>", block))
        numbers = (int(glyphs[at : at + 4], 16) for at in range(0, len(glyphs), 4))
        words.append("".join(font.get(number, "?") for number in numbers))
    return "".join("".join(words).split())


def without_blanks(text: str) -> str:
    return "".join(text.split())
