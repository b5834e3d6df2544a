"""Bodies: what is read, and what is refused."""

import pytest
from kit.agent import Agent
from kit.documents import media
from kit.pages import CLIENT_REQUESTS, SEED, XML_10, guide
from kit.statements import choice, statement

READY = media("READY")


def is_read(agent: Agent, body: str | bytes) -> None:
    """The body says READY, and that happens."""
    agent.is_in("NOT_READY")
    agent.outcome(agent.put_media(body).accepted(), state="READY")


@statement("A malformed or incomplete request, one without a body, is 400 Bad Request", SEED)
@pytest.mark.parametrize(
    "body",
    [
        "READY",
        "<Media>",
        "<Media><state>READY</Media></state>",
        "<Media><state>NOT_READY</state><reasonCodeId>1001</reaasonCodeId></Media>",
        "<Media><state>READY</state></Media><Media/>",
        "<Media a=1/>",
        "<Media>&nothing;</Media>",
        '{"state": "READY"}',
        "",
        "  \n",
    ],
)
def test_malformed(agent: Agent, body: str) -> None:
    agent.put_media(body).refuses(400, "Bad Request")


@choice("A document of another kind is 400 Bad Request", SEED)
@pytest.mark.parametrize("root", ["User", "media", "MediaList", "Medias"])
def test_other_root(agent: Agent, root: str) -> None:
    agent.put_media(f"<{root}><state>READY</state></{root}>").refuses(400, "Bad Request")


@statement("A refused request changes nothing, and nobody is told", SEED)
def test_refused_is_nothing(agent: Agent, events: None) -> None:
    agent.is_in("NOT_READY")
    before = agent.get_media()
    for body in ("<Media>", "<Media/>", "<Media><state>GONE</state></Media>"):
        agent.put_media(body).error(400)
    agent.get_media().equals(before)
    agent.is_told_nothing_before()


@choice("A DTD is refused with 400 Bad Request, and no entity is expanded", CLIENT_REQUESTS)
@pytest.mark.parametrize(
    "dtd",
    [
        "<!DOCTYPE Media>",
        '<!DOCTYPE Media [<!ENTITY s "READY">]>',
        '<!DOCTYPE Media [<!ENTITY s SYSTEM "file:///etc/hostname">]>',
        '<!DOCTYPE Media SYSTEM "http://127.0.0.1:9/x.dtd">',
        '<!DOCTYPE Media [<!ENTITY a "aa"><!ENTITY s "&a;&a;&a;">]>',
    ],
)
def test_dtd(agent: Agent, dtd: str) -> None:
    entity = "&s;" if "ENTITY s" in dtd else "READY"
    agent.put_media(f"{dtd}<Media><state>{entity}</state></Media>").refuses(400, "Bad Request")


@choice("The last of repeated elements counts", guide(241))
def test_repeated_element(agent: Agent) -> None:
    is_read(agent, "<Media><state>LOGOUT</state><state>READY</state></Media>")


@choice("Unknown elements, attributes and namespaces are ignored", CLIENT_REQUESTS)
@pytest.mark.parametrize(
    "body",
    [
        "<Media><mood>good</mood><state>READY</state><a><b>c</b></a></Media>",
        '<m:Media xmlns:m="urn:x" a="b"><m:state>READY</m:state></m:Media>',
    ],
    ids=["elements", "namespace"],
)
def test_unknown_elements(agent: Agent, body: str) -> None:
    is_read(agent, body)


@choice(
    "The order of elements, blanks around them and before the XML declaration do not matter", SEED
)
def test_order_of_elements(agent: Agent) -> None:
    is_read(
        agent,
        '\n\n<?xml version="1.0" encoding="UTF-8"?>\n'
        "<Media>\n   <reasonCodeId/>\n   <state>\n  READY\t</state>\r\n</Media>\n",
    )


@statement("Declaration, byte order mark, comments and CDATA are read as XML has it", XML_10)
def test_xml_syntax(agent: Agent) -> None:
    declaration = b'\xef\xbb\xbf<?xml version="1.0" encoding="UTF-8"?><!-- a --><?b c?>'
    is_read(agent, declaration + b"<Media><!-- d --><state><![CDATA[READY]]></state></Media>")


@choice("A body is decoded as ISO-8859-1 where its declaration says so", CLIENT_REQUESTS)
def test_latin_1(agent: Agent) -> None:
    declaration = b'<?xml version="1.0" encoding="ISO-8859-1"?>'
    is_read(agent, declaration + b"<Media><state>READY</state><note>\xe9</note></Media>")


@choice("An encoding that no client sends is 400 Bad Request", CLIENT_REQUESTS)
@pytest.mark.parametrize(
    "body",
    [
        READY.encode("utf-16"),
        b'<?xml version="1.0" encoding="UTF-7"?><Media><state>READY</state></Media>',
        b"<Media><state>\xff</state></Media>",
    ],
    ids=["utf-16", "utf-7", "invalid"],
)
def test_encoding(agent: Agent, body: bytes) -> None:
    agent.put_media(body).refuses(400, "Bad Request")


@choice("A body of more than 64 KiB, or one that nests deeply, is 400 Bad Request", CLIENT_REQUESTS)
def test_large_body(agent: Agent) -> None:
    agent.put_media(media("READY", note="x" * 65536)).refuses(400, "Bad Request")
    deep = "<a>" * 5000 + "</a>" * 5000
    agent.put_media(f"<Media>{deep}</Media>").refuses(400, "Bad Request")


@choice("Nothing in a body is an error of the server", CLIENT_REQUESTS)
@pytest.mark.parametrize(
    "body",
    [
        b"\0",
        b"<Media><state>READY\0</state></Media>",
        b"<Media><state>&#0;</state></Media>",
        b"<Media><state><state>READY</state></state></Media>",
        b"<Media><state>NOT_READY</state><reasonCodeId>" + b"9" * 400 + b"</reasonCodeId></Media>",
        b"<Media><state>NOT_READY</state><reasonCodeId>-1</reasonCodeId></Media>",
        b"<Media><state>NOT_READY</state><reasonCodeId><x/></reasonCodeId></Media>",
        "<Media><state>NOT_READY</state><reasonCodeId>١٠٠١</reasonCodeId></Media>".encode(),
        "<Media><state>ＲＥＡＤＹ</state></Media>".encode(),
        b"<Media><state>LOGIN</state><maxDialogLimit>1e1</maxDialogLimit></Media>",
    ],
    ids=[str(number) for number in range(10)],
)
def test_odd_bodies(agent: Agent, body: bytes) -> None:
    agent.put_media(body).error(400)
