"""Where a user is signed in, and the end of that."""

import re
from dataclasses import dataclass

from django.contrib.auth import HASH_SESSION_KEY, update_session_auth_hash
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac

from finesse.presence import stamps
from finesse.presence.models import Watched
from finesse.users.models import BrowserSession, User
from finesse.users.sessions import SessionStore

BROWSERS = (
    # What a User-Agent contains, and who that is: many name others, too, so the order matters.
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


@dataclass(frozen=True, kw_only=True)
class SignIn:
    """A browser in which a user is signed in."""

    session: BrowserSession
    is_this: bool
    """Whether it is the browser that asks."""

    @property
    def named(self) -> str:
        """What a page calls the session by: its key is a secret, and never on a page."""
        return name_of(self.session)

    @property
    def browser(self) -> str:
        return browser_name(self.session.browser)

    @property
    def place(self) -> str:
        return self.session.origin or "this machine"


def in_browsers(user: User, this: str | None = None) -> list[SignIn]:
    """Where the user is signed in, the browser with the session key `this` first.

    Without the sessions that are left from before a change of the password.
    """
    of_now = user.get_session_auth_hash()
    in_time = BrowserSession.objects.filter(user=user, expire_date__gt=timezone.now())
    return sorted(
        (
            SignIn(session=session, is_this=session.pk == this)
            for session in in_time.order_by("-last_seen")
            if constant_time_compare(_hash_of(session), of_now)
        ),
        key=lambda sign_in: not sign_in.is_this,
    )


def _hash_of(session: BrowserSession) -> str:
    content = SessionStore().decode(session.session_data)
    return str(content.get(HASH_SESSION_KEY, ""))


def has_client(user: User) -> bool | None:
    """Whether an XMPP client of the user is connected, or was until lately; None if not known."""
    return Watched.objects.filter(pk=user.pk).exists() if stamps.is_on() else None


def end_all(user: User) -> None:
    """End the user's sessions in browsers, sockets and XMPP connections, and void sign-in links.

    A program that has the password may come back with it.
    """
    user.sign_ins_ended += 1
    user.save(update_fields=["sign_ins_ended"])
    forget_sessions(user)


def end_others(request: HttpRequest, user: User) -> None:
    """The same for the user who asks, but for the browser that asks."""
    end_all(user)
    keep_this(request, user)


def keep_this(request: HttpRequest, user: User) -> None:
    """After a change that has ended the user's sessions: go on with this one, by another key."""
    update_session_auth_hash(request, user)
    request.session.save()
    forget_sessions(user, but=request.session.session_key)


def end_one(user: User, named: str, but: str | None = None) -> SignIn | None:
    """End the one session of the user that is called so, and its sockets; None if there is none.

    The one with the key `but` stays. Other browsers, clients and sign-in links stay as they are.
    """
    for sign_in in in_browsers(user, but):
        if not sign_in.is_this and constant_time_compare(sign_in.named, named):
            sign_in.session.delete()
            return sign_in
    return None


def told_of(ended: SignIn | None) -> str:
    """What became of it, for the person who asked."""
    if ended is None:
        return "That session has ended already."
    return f"Ended: {ended.browser}, from {ended.place}."


def name_of(session: BrowserSession) -> str:
    return salted_hmac("finesse.users.sign_ins", session.pk, algorithm="sha256").hexdigest()[:32]


def forget_sessions(user: User, but: str | None = None) -> None:
    BrowserSession.objects.filter(user=user).exclude(pk=but or "").delete()


def browser_name(user_agent: str) -> str:
    """As people call it: "Firefox on Windows". The start of what it says if that is not known."""
    browser = next((name for mark, name in BROWSERS if mark in user_agent), "")
    system = next((name for mark, name in SYSTEMS if mark in user_agent), "")
    if browser and system:
        return f"{browser} on {system}"
    return browser or system or re.sub(r"\s+", " ", user_agent)[:40] or "Unknown browser"
