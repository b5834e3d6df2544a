"""A browser in the administration."""

import httpx

from benchmarks.people import ADMINISTRATOR, PASSWORD


def sign_in_as_administrator(client: httpx.Client) -> None:
    """Open the administration. Raises RuntimeError if it does not let the administrator in."""
    client.get("/admin/login/")
    form = {
        "username": ADMINISTRATOR,
        "password": PASSWORD,
        "csrfmiddlewaretoken": client.cookies["csrftoken"],
    }
    if client.post("/admin/login/?next=/admin/", data=form).status_code != 302:
        raise RuntimeError("The administrator cannot sign in")
