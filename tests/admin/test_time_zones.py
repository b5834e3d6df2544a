"""Pages show times in the zone of the browser, and say which it is."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client, RequestFactory
from django.utils import timezone

from finesse.users.models import BrowserSession, User
from finesse.users.time_zones import COOKIE, zone_of

pytestmark = pytest.mark.usefixtures("cast")
WINTER = datetime(2026, 1, 31, 23, 30, tzinfo=UTC)


def signed_in(zone: str) -> Client:
    client = Client()
    client.force_login(User.objects.get(pk="dave"))
    client.cookies[COOKIE] = zone
    BrowserSession.objects.update(since=WINTER)
    return client


@pytest.mark.parametrize(
    ("zone", "shown"),
    [
        ("Europe/Berlin", "1 Feb 2026, 00:30"),
        ("America/New_York", "31 Jan 2026, 18:30"),
        ("Asia/Kathmandu", "1 Feb 2026, 05:15"),
    ],
)
def test_a_page_shows_times_in_the_zone_of_the_browser_and_names_it(zone: str, shown: str) -> None:
    page = signed_in(zone).get("/account/").content.decode()
    assert shown in page
    assert f"time zone {zone}" in page


def test_the_administration_names_the_zone() -> None:
    page = signed_in("Asia/Kathmandu").get("/admin/").content.decode()
    assert "time zone Asia/Kathmandu" in page


@pytest.mark.parametrize(
    "name",
    [
        "",
        "Europe",
        "Mars/Olympus",
        "../../etc/passwd",
        "/etc/passwd",
        "x" * 5_000,
        "Zürich",
        "a\0b",
    ],
)
def test_what_is_no_zone_leaves_the_one_of_the_settings(settings: Any, name: str) -> None:
    settings.TIME_ZONE = "Europe/Lisbon"
    request = RequestFactory().get("/")
    request.COOKIES[COOKIE] = name
    assert zone_of(request).key == "Europe/Lisbon"


def test_the_zone_of_one_request_is_not_the_next_ones() -> None:
    signed_in("Asia/Kathmandu").get("/account/")
    assert timezone.get_current_timezone_name() == timezone.get_default_timezone_name()
