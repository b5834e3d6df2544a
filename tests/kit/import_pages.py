"""The pages of an import: what is sent to them, and what they say."""

import io
import re
from typing import Any

from django.test import Client

from finesse.users.models import User


def signed_in(login_id: str) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(User.objects.get(pk=login_id))
    return client


def kept_in(page: Any) -> str:
    found = re.search(r'name="kept" value="([^"]+)"', page.content.decode())
    return found[1] if found else ""


def outcomes(page: Any) -> dict[str, int]:
    """How many rows the check has of each outcome."""
    return {one["outcome"].value: one["count"] for one in page.context["groups"]}


def said(page: Any) -> str:
    """What the page says, without its markup."""
    text = re.sub(r"<[^>]+>", " ", page.content.decode())
    return re.sub(r"\s+", " ", text.replace("&#x27;", "'").replace("&quot;", '"'))


def upload(
    address: str, login_id: str, content: bytes | str, name: str, **fields: Any
) -> tuple[Client, Any]:
    """The page after this file was sent to be checked."""
    client = signed_in(login_id)
    file = io.BytesIO(content.encode() if isinstance(content, str) else content)
    file.name = name
    return client, client.post(address, {"file": file, **fields})


def confirm(address: str, client: Client, page: Any, *, follow: bool = False) -> Any:
    """The answer when the rows that this page has kept are confirmed; `follow`: what comes then."""
    kept = kept_in(page)
    assert kept, said(page)
    return client.post(address, {"kept": kept}, follow=follow)
