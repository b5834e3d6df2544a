"""Addresses: `<login id>@<domain>/<resource>`, and `pubsub.<domain>` [Subscription Management]."""

import uuid

from django.conf import settings
from django.contrib.auth import get_user_model
from slixmpp.jid import JID, InvalidJID

LONGEST_RESOURCE = 200
"""Characters of a resource that a client may choose."""


def domain() -> str:
    found: str = settings.FINESSE_XMPP_DOMAIN
    return found


def pubsub_domain() -> str:
    return f"pubsub.{domain()}"


def login_id_of(local: str) -> str | None:
    """The login id that an address's local part names: XMPP compares those without case."""
    users = get_user_model()._default_manager.filter(login_id__iexact=local)
    found: str | None = users.values_list("login_id", flat=True).first()
    return found


def address(login_id: str, resource: str = "") -> JID:
    """The address of a user, or of one of its clients. Raises ValueError if it cannot be one."""
    if len(resource) > LONGEST_RESOURCE:
        raise ValueError("The resource is too long")
    try:
        found = JID(f"{login_id}@{domain()}/{resource}" if resource else f"{login_id}@{domain()}")
    except InvalidJID as error:
        raise ValueError(str(error)) from None
    # Preparing it may have made one letter many.
    if len(found.resource) > LONGEST_RESOURCE:
        raise ValueError("The resource is too long")
    return found


def parsed(text: str) -> JID | None:
    """An address as somebody wrote it; None if it is none."""
    try:
        return JID(text)
    except InvalidJID:
        return None


def new_resource() -> str:
    return uuid.uuid4().hex
