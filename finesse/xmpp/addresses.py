"""Addresses: `<login id>@<domain>/<resource>`, and `pubsub.<domain>` [Subscription Management]."""

import re
import uuid

from django.conf import settings
from django.contrib.auth import get_user_model
from slixmpp.jid import JID, InvalidJID

MAX_RESOURCE_CHARACTERS = 200
"""Of a resource that a client may choose."""


def domain() -> str:
    found: str = settings.FINESSE_XMPP_DOMAIN
    return found


def pubsub_domain() -> str:
    return f"pubsub.{domain()}"


def login_id_of(local: str) -> str | None:
    """The login id for an address's local part; XMPP compares local parts without case."""
    users = get_user_model()._default_manager.filter(login_id__iexact=local)
    found: str | None = users.values_list("login_id", flat=True).first()
    return found


def address(login_id: str, resource: str = "") -> JID:
    """The address of a user, or of one of its clients. Raises ValueError for an invalid one."""
    if len(resource) > MAX_RESOURCE_CHARACTERS:
        raise ValueError("The resource is too long")
    try:
        found = JID(f"{login_id}@{domain()}/{resource}" if resource else f"{login_id}@{domain()}")
    except InvalidJID as error:
        raise ValueError(str(error)) from None
    # Stringprep may have turned one letter into several.
    if len(found.resource) > MAX_RESOURCE_CHARACTERS:
        raise ValueError("The resource is too long")
    return found


def parsed(text: str) -> JID | None:
    """The address in a client's text, or None."""
    try:
        return JID(text)
    except InvalidJID:
        return None


def new_resource() -> str:
    return uuid.uuid4().hex


def is_chosen_here(resource: str) -> bool:
    """Whether `new_resource` may have made it."""
    return re.fullmatch("[0-9a-f]{32}", resource) is not None
