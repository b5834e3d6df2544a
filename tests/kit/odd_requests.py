"""Requests as no client should send them, and as clients do: what the fuzzing tests draw from."""

from dataclasses import dataclass, field
from functools import cache

from hypothesis import strategies as st

from tests.conftest import LOGIN, basic
from tests.kit.golden_files import NAMES, golden


@dataclass(frozen=True)
class Caller:
    """An Authorization header, and its user."""

    header: str | None
    login: str | None = None


@dataclass(frozen=True)
class Request:
    """One request, with placeholders like {Lunch} for ids."""

    method: str
    path: str
    body: bytes
    caller: Caller
    content_type: str
    length: str | None = None
    headers: dict[str, str] = field(default_factory=dict)


def known(login: str) -> Caller:
    return Caller(basic(login), login)


CALLERS = st.sampled_from(
    [
        *(known(login) for login in ("alice", "bob", "carol", "dave")),
        Caller(basic("alice").replace("Basic", "bASIC  "), "alice"),
        Caller(None),
        Caller(basic("alice", "wrong")),
        Caller(basic("nobody")),
        Caller(basic("alice\0")),
        Caller(basic("a\x01é\ufffe<&>{user}")),
        Caller("Basic"),
        Caller("Basic ===="),
        Caller("Basic " + "A" * 4000),
        Caller("Basic YWxpY2U="),
        Caller("Bearer " + "e30." * 3),
        Caller("Digest username=\"alice\""),
        Caller("\xff\xfe"),
    ]
)  # fmt: skip
METHODS = st.sampled_from([
    "GET", "PUT", "POST", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE", "CONNECT", "PROPFIND",
    "put", "FOO{0}", "X" * 300,
])  # fmt: skip
XML_TYPES = [
    "application/xml", "Application/XML", "text/xml; charset=UTF-8", "application/xml; charset",
    "x/y+xml", ";", "", "application/xml; charset=ISO-8859-1",
]  # fmt: skip
CONTENT_TYPES = st.sampled_from([
    "application/json", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded",
    "text/xml; charset=utf-16", "application/xml; charset=%00", "*/*", "xml", "a" * 3000,
    "\xe9/\xe9", "text/plain;+xml",
])  # fmt: skip
LENGTHS = st.sampled_from(
    ["", "-1", "abc", "0", "1", "20", "300", "9" * 5_000, "1.0", "+5", "1, 1"]
)
REQUEST_IDS = st.one_of(
    st.sampled_from(["r-1", "a b", " ", "x" * 255, "x" * 256, "a\tb", "\xe9", "</requestId>&"]),
    st.text(st.characters(max_codepoint=255, exclude_characters="\r\n\0"), max_size=20),
)
HEADERS = st.dictionaries(
    st.sampled_from([
        "Accept", "X-HTTP-Method-Override", "X-Method-Override", "Content-Encoding", "Cookie",
        "Host", "Range", "Origin", "If-None-Match", "If-Modified-Since", "X-Forwarded-Host",
        "X-Forwarded-Proto", "Expect", "Transfer-Encoding", "locale", "Accept-Language",
        "Access-Control-Request-Method", "Referer", "X-CSRFToken", "X-Requested-With",
    ]),
    st.sampled_from([
        "", "*/*", "application/json;q=1", "text/html", "PUT", "DELETE", "gzip", "chunked", "%00",
        "sessionid=x; csrftoken=y", 'sessionid="', "bytes=0-0", "https://evil.example", "null",
        "localhost:99999", "a b", "[::1", "[::1]", "evil.example", "\xff", "100-continue", "de",
        "a" * 5000, 'W/"x"', "Tue, 99 Foo 9999 99:99:99 GMT", "../../etc", "{0}{user}",
    ]),
    max_size=3,
)  # fmt: skip

WORDS = [
    "LOGIN", "READY", "NOT_READY", "LOGOUT", "ACTIVE", "WORK", "ROUTABLE", "FORCED_LOGOUT",
    "ready", " READY\n", "true", "false", "True", "FALSE", "1", "0", "-1", "5", "10", "11",
    "{Lunch}", "{Coaching}", "{Filing}", "{End of shift}", "{system}", "0{Lunch}", "4711",
    "ACCEPT", "IGNORE", "CLOSE", "TRANSFER", "NOT_READY", "LOGOUT", "ALL", "", " ", "٣", "²",
    "Lunch", "lunch ", "Not Ready - Supervisor Initiated", "x" * 40, "x" * 41, "é" * 40, "😀",
    "5000", "5001", "5002", "05000", "65535", "65536", "9" * 19, "9" * 30, "1e3", "1.0", "+1",
    "/finesse/api/ReasonCode/{Coaching}", "/finesse/api/User/alice/Media/5000", "1001", "tel:1",
    "/finesse/api/ReasonCode/", "https://x/finesse/api/ReasonCode/{Filing}", "{user}", "%s",
    "<a/>", "<a>READY</a>", "<![CDATA[READY]]>", "<!-- -->READY", "REA<!-- -->DY", "<?x y?>",
    "&lt;", "&amp;amp;", "&#82;EADY", "&#0;", "&#x1F;", "&#xD800;", "&unknown;", "&", "]]>",
    "\x00", "\x0b", "\u202e", "\ufffe", "\x85", "\u2028", "a\nb", "\t", "'; DROP TABLE x; --",
]  # fmt: skip
TEXTS = st.one_of(st.sampled_from(WORDS), st.sampled_from(WORDS), st.text(max_size=12))
CHILDREN = [
    "state", "state", "reasonCodeId", "routable", "maxDialogLimit", "interruptAction", "id",
    "dialogLogoutAction", "extension", "activeDeviceId", "uri", "category", "code", "label",
    "forAll", "systemCode", "State", "Media", "ReasonCode", "x:state", "xml", "é", "a-b",
]  # fmt: skip
ROOTS = ("Media", "MediaList", "User", "ReasonCode", "ReasonCodes", "media", "Dialog", "m:Media")
CALLS = [
    *(("PUT", f"User/alice/Media/{mrd}", "alice", "Media") for mrd in (5000, 5001, 5002, 1)),
    ("PUT", "User/alice/Media/5000", "alice", "Media"),
    ("PUT", "User/alice/Media", "alice", "MediaList"),
    ("PUT", "User/alice/Media", "alice", "MediaList"),
    ("PUT", "User/bob/Media/5002", "bob", "Media"),
    ("PUT", "User/alice", "alice", "User"),
    ("PUT", "User/alice", "carol", "User"),
    ("PUT", "User/bob", "bob", "User"),
    ("PUT", "User/bob", "dave", "User"),
    ("POST", "ReasonCode", "dave", "ReasonCode"),
    *(
        (method, f"ReasonCode/{which}", "dave", "ReasonCode")
        for which in ("{Lunch}", "{Coaching}", "{system}")
        for method in ("PUT", "DELETE")
    ),
    ("PUT", "Team/{chat}/ReasonCodes?category=NOT_READY", "dave", "ReasonCodes"),
    ("PUT", "Team/{back office}/ReasonCodes?category=LOGOUT", "dave", "ReasonCodes"),
    *(
        ("GET", path, "alice", "Media")
        for path in (
            "User/alice",
            "User/alice/Media",
            "User/alice/Media/5000",
            "User/alice/Dialogs/Media",
            "User/alice/ReasonCodes?category=NOT_READY",
            "User/alice/ReasonCode/{Lunch}",
            "TeamResource/{chat}/ReasonCodes?category=NOT_READY",
            "ReasonCode/{system}",
            "ReasonCode?category=NOT_READY&code=1",
            "MediaDomain",
            "MediaDomain/5000",
            "SystemInfo",
        )
    ),
    ("GET", "User/bob", "dave", "Media"),
    ("GET", "User/alice", "carol", "Media"),
    ("GET", "User/bob/ReasonCodes?category=LOGOUT", "dave", "Media"),
    ("GET", "User/bob/ReasonCode/{Filing}", "dave", "Media"),
    ("GET", "Team/{chat}", "carol", "Media"),
    ("GET", "Team/{chat}", "dave", "Media"),
    ("GET", "Team/{chat}/ReasonCodes?category=NOT_READY", "dave", "Media"),
    ("GET", "ReasonCodes?category=ALL", "dave", "Media"),
]
"""Correct requests: method, path, the users that may send it, and the root of the body."""
SEGMENTS = [
    "alice", "5000", "%00", "a%00b", "%2F", "%2e%2e", "..", ".", "", "%ff", "%C3%A9",
    "%F0%9F%98%80", "%E2%80%AE", "٣", "05000", "-1", "0", "9" * 30, "2147483648", "a" * 4000,
    "9223372036854775808", "%0a", "5000%0a", "%0d%0aX:%20y", "{user}", "{0}", "%7Buser%7D",
    "<&>", "%3C%26%3E", "'", ";x=1", "User", "Media", "ReasonCode", "admin", "%25", "%", "%zz",
    "+", "*", "$", "^", "(", "\\",
]  # fmt: skip
QUERIES = [
    "category=NOT_READY", "category=LOGOUT", "category=ALL", "category=", "category=not_ready",
    "category=NOT_READY&category=ALL", "category=%00", "category=%ff", "code=1", "code=%00",
    "category=NOT_READY&code=99999999999", "category=NOT_READY&code=4294967296", "format=json",
    "category=NOT_READY&code=%D9%A3", "nocache=1", "?", "&&&=", "a[]=1", "category[]=ALL", "%",
    "category=LOGOUT&code=999&nocache=1", "x=" + "y" * 3000, "&".join(["a=1"] * 1500),
]  # fmt: skip


def element(name: str, text: str) -> str:
    return f"<{name}>{text}</{name}>"


PAIRS = st.lists(st.tuples(st.sampled_from(CHILDREN), TEXTS), max_size=6)


@st.composite
def documents(draw: st.DrawFn, root: str | None = None) -> str:
    """A document of the protocol's own words, in any order and number."""
    root = root or draw(st.sampled_from(ROOTS))
    inner = {"MediaList": "Media", "ReasonCodes": "ReasonCode"}.get(root)
    number = draw(st.integers(0, 4)) if inner else 1
    every = ["".join(element(*pair) for pair in draw(PAIRS)) for _ in range(number)]
    return element(root, "".join(element(inner, one) if inner else one for one in every))


@cache
def sensible(root: str) -> st.SearchStrategy[str]:
    """Documents of which many are right."""
    reason = st.sampled_from(
        ["", "{Lunch}", "{Coaching}", "{End of shift}", "{Filing}", "{system}"]
    )
    state = st.sampled_from(["LOGIN", "READY", "NOT_READY", "LOGOUT", "ACTIVE"])
    boolean = st.sampled_from(["true", "false", "True", "yes"])
    category = st.sampled_from(["NOT_READY", "LOGOUT"])
    code = st.integers(0, 65540).map(str)
    label = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="<&"), max_size=8)
    sign_in = (
        "<state>LOGIN</state><maxDialogLimit>{}</maxDialogLimit>"
        "<interruptAction>IGNORE</interruptAction>"
    )
    right = st.sampled_from(
        [
            "<state>READY</state>",
            "<state>READY</state>",
            "<state>NOT_READY</state><reasonCodeId>{Lunch}</reasonCodeId>",
            "<state>NOT_READY</state><reasonCodeId>{Coaching}</reasonCodeId>",
            "<state>LOGOUT</state><reasonCodeId>{End of shift}</reasonCodeId>",
            "<routable>true</routable>",
            sign_in.format(5),
        ]
    )
    changes = st.one_of(
        right,
        right,
        st.builds("<state>{}</state><reasonCodeId>{}</reasonCodeId>".format, state, reason),
        st.builds("<routable>{}</routable>".format, boolean),
        st.builds(sign_in.format, st.integers(0, 11)),
        st.builds("<state>{}</state><extension>{}</extension>".format, state, code),
    )
    mrd = st.sampled_from(["5000", "5001", "5002", "1", "4711"])
    codes = st.builds(
        "<category>{}</category><code>{}</code><label>{}</label><forAll>{}</forAll>".format,
        category, code, label, boolean,
    )  # fmt: skip
    reference = st.builds("<uri>/finesse/api/ReasonCode/{}</uri>".format, reason)
    children = {
        "Media": changes,
        "User": changes,
        "MediaList": st.lists(
            st.builds("<Media><id>{}</id>{}</Media>".format, mrd, changes), max_size=4
        ).map("".join),
        "ReasonCode": st.one_of(codes, st.builds("<code>{}</code>".format, code)),
        "ReasonCodes": st.lists(
            st.builds("<ReasonCode>{}</ReasonCode>".format, reference), max_size=3
        ).map("".join),
    }[root]
    return children.map(lambda inner: element(root, inner))


PRINTED = [*(golden(name) for name in NAMES), LOGIN]
DECORATIONS = [
    "\ufeff", "\n\n ", "<?x?>", "<!-- x -->", "x", "\ufeff\ufeff", "\x00",
    '<?xml version="1.0"?>', '<?xml version="1.0" encoding="UTF-8"?>\n', '<?xml version="1.1"?>',
    '<?xml version="1.0" encoding="ISO-8859-1"?>', '<?xml version="1.0" encoding="utf-16"?>',
    '<!DOCTYPE Media [<!ENTITY a "READY">]>', '<!DOCTYPE M SYSTEM "file:///etc/hostname">',
    '<!DOCTYPE M [<!ENTITY a "x"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>',
    '<?xml version="1.0" standalone="yes"?>',
]  # fmt: skip
ENCODINGS = ["utf-16", "utf-16-le", "utf-32", "utf-7", "latin-1", "cp037", "utf-8-sig", "utf-8"]
MONSTERS = [
    *("<a>" * depth for depth in (17, 200, 9_000)),
    *("<Media>" + "<a>" * depth + "</a>" * depth + "</Media>" for depth in (15, 16, 500)),
    "<Media>" + "<state>READY</state>" * 3_000 + "</Media>",
    *("<Media><state>READY</state><x>" + "y" * size + "</x></Media>" for size in (60_000, 70_000)),
    "<Media " + " ".join(f"a{n}='1'" for n in range(4_000)) + "><state>READY</state></Media>",
    "<Media><" + "n" * 30_000 + "/><state>READY</state></Media>",
    "<a/>" * 10,
    "<" * 60_000,
    "&#82;" * 10_000,
    "<MediaList>" + "<Media><id>5000</id><state>READY</state></Media>" * 30 + "</MediaList>",
    "<ReasonCodes>" + "<ReasonCode><id>{Coaching}</id></ReasonCode>" * 300 + "</ReasonCodes>",
]


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A right document with something cut out of it and something put in."""
    document = draw(st.sampled_from(PRINTED)).encode()
    start = draw(st.integers(0, len(document)))
    end = draw(st.integers(start, min(len(document), start + 40)))
    put_in = draw(st.one_of(st.binary(max_size=4), TEXTS.map(lambda text: encoded(text))))
    return document[:start] + put_in + document[end:]


def encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


@cache
def odd_bodies(root: str) -> st.SearchStrategy[bytes]:
    """Any body, some of them almost right."""
    return st.one_of(
        documents(root).map(encoded),
        documents(root).map(encoded),
        documents().map(encoded),
        st.builds(lambda a, b: encoded(a + b), st.sampled_from(DECORATIONS), sensible(root)),
        st.builds(
            lambda text, encoding: text.encode(encoding, "replace"),
            sensible(root),
            st.sampled_from(ENCODINGS),
        ),
        mutated(),
        mutated(),
        st.sampled_from(PRINTED).map(encoded),
        st.sampled_from(MONSTERS).map(encoded),
        st.binary(max_size=40),
        st.just(b""),
    )


@st.composite
def odd_paths(draw: st.DrawFn) -> str:
    """A resource, one with something wrong about it, or nonsense."""
    path = draw(st.sampled_from(CALLS))[1]
    bare = path.partition("?")[0]
    kind = draw(st.integers(0, 4))
    if kind == 0:
        return path
    if kind == 1:
        return bare + "?" + draw(st.sampled_from(QUERIES))
    if kind == 2:
        segments = bare.split("/")
        at = draw(st.integers(0, len(segments) - 1))
        segments[at] = draw(st.sampled_from(SEGMENTS))
        return "/".join(segments)
    if kind == 3:
        return bare + draw(st.sampled_from(["/", "//", "/.", "/x", " ", "%23x", "?"]))
    return "/".join(draw(st.lists(st.sampled_from(SEGMENTS), max_size=4)))


ODD = [
    *["nothing"] * 8,
    *["body"] * 8,
    *["path"] * 4,
    *["method", "caller", "headers", "content type", "length", "requestId"] * 2,
    "path method",
    "path caller method",
    "body caller headers content type length",
    "path method body caller headers content type length requestId",
]


@st.composite
def requests(draw: st.DrawFn) -> Request:
    """A right call of which nothing, something or everything is odd."""
    method, path, login, root = draw(st.sampled_from(CALLS))
    odd = draw(st.sampled_from(ODD))
    headers = dict(draw(HEADERS)) if "headers" in odd else {}
    if "requestId" in odd:
        headers["requestId"] = draw(REQUEST_IDS)
    if method == "GET" and "body" not in odd:
        body = b""
    else:
        body = draw(odd_bodies(root) if "body" in odd else sensible(root).map(encoded))
    return Request(
        method=draw(METHODS) if "method" in odd else method,
        path=draw(odd_paths()) if "path" in odd else path,
        body=body,
        caller=draw(CALLERS) if "caller" in odd else known(login),
        content_type=draw(CONTENT_TYPES if "content type" in odd else st.sampled_from(XML_TYPES)),
        length=draw(LENGTHS) if "length" in odd else None,
        headers=headers,
    )
