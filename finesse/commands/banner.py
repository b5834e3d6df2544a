"""What `manage.py run` prints once the service is in service."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from finesse.xmpp.addresses import domain, pubsub_domain

WELCOME = """
Finesse Media is in service. Ctrl-C ends it.

  Viewer          {url}/
  Administration  {url}/admin/
  API             {url}/finesse/api/, described at {url}/finesse/docs/
  Health          {url}/healthz
"""
NOTIFICATION_PORT = """\
  The same again  {notification_url}/, where Finesse's clients look for notifications
"""
TRUST = """
The certificate is signed by an authority of your own, which clients must trust. docs/tls.md says
how, for browsers, Python, Node and Java.

  curl --cacert {authority} {url}/healthz
"""
XMPP = """
XMPP, users being <login id>@{domain} and notifications coming from {pubsub_domain}:

  STARTTLS        {name}:{xmpp_port}
  TLS             {name}:{xmpp_secure_port}
  BOSH            {url}/http-bind
"""
XMPP_TRUST = """
Over TLS it shows a certificate signed by {xmpp_authority}
"""
DEMO = """
Demo logins, all with the password {password}:
  agents 1234, 1235, 1300   supervisors 2001, 2002   administrator admin

Open the viewer as 2001, then send Ana Lima to lunch:

  curl -i{trust} -u 1234:{password} -X PUT -H 'Content-Type: application/xml' -H 'requestId: r-1' \\
    -d '<Media><state>NOT_READY</state><reasonCodeId>1001</reasonCodeId></Media>' \\
    {url}/finesse/api/User/1234/Media/5001
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """What is served, and how clients reach it."""

    name: str
    """The host in the URLs."""
    urls: Sequence[str]
    """One for each port."""
    authority: Path | None = None
    """What clients of these URLs have to trust."""
    xmpp: bool = False
    xmpp_authority: Path | None = None

    @property
    def url(self) -> str:
        return self.urls[0]


def banner(served: Served) -> str:
    authority = shlex.quote(_shown_path(served.authority)) if served.authority else ""
    return _template(served).format(
        url=served.url,
        notification_url=served.urls[-1],
        password=settings.FINESSE_DEMO_PASSWORD,
        authority=authority,
        trust=f" --cacert {authority}" if authority else "",
        name=served.name,
        domain=domain(),
        pubsub_domain=pubsub_domain(),
        xmpp_port=settings.FINESSE_XMPP_PORT,
        xmpp_secure_port=settings.FINESSE_XMPP_SECURE_PORT,
        xmpp_authority=served.xmpp_authority and _shown_path(served.xmpp_authority),
    )


def _template(served: Served) -> str:
    parts = {
        WELCOME: True,
        NOTIFICATION_PORT: len(served.urls) > 1,
        TRUST: served.authority,
        XMPP: served.xmpp,
        XMPP_TRUST: served.xmpp and served.xmpp_authority,
        DEMO: settings.FINESSE_DEMO,
    }
    return "".join(text for text, is_wanted in parts.items() if is_wanted)


def _shown_path(path: Path) -> str:
    """Short where it can be, and as a shell started here understands it."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)
