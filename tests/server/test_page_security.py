"""What browsers are told of every page: whose files it may use, and to come by TLS."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any

import pytest
from django.conf import settings as product_settings
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from finesse.commands.encryption import speak_tls
from finesse.users import passwords
from finesse.users.models import User
from media import tasks
from tests.conftest import API, LOGIN, Cast

SERVICES = {
    "DATABASE_URL": "postgres://user:password@database/finesse",
    "REDIS_URL": "redis://redis/0",
    "CELERY_BROKER_URL": "amqp://user:password@broker//",
}
PRODUCTION = {
    "many machines": {**SERVICES, "BEHIND_TLS_PROXY": "1", "FINESSE_XMPP_SECRET": "x" * 40},
    "one machine over TLS": {
        "FINESSE_HOST": "finesse.example.com",
        "FINESSE_TLS_CERTIFICATE": "/etc/finesse/fullchain.pem",
        "FINESSE_TLS_KEY": "/etc/finesse/privkey.pem",
    },
}
"""As docs/operations.md has them."""


def run(script: list[str], tmp_path: Any, **environment: str) -> subprocess.CompletedProcess[str]:
    inherited = {"PATH": os.environ["PATH"], "FINESSE_DATA_DIR": str(tmp_path)}
    common = {"SECRET_KEY": "s3cr3t-" * 10, "ALLOWED_HOSTS": "finesse.example.com"}
    return subprocess.run(
        [sys.executable, *script],
        cwd=product_settings.BASE_DIR,
        env=inherited | common | environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("which", PRODUCTION)
def test_djangos_deployment_checks_find_nothing_in_production(which: str, tmp_path: Any) -> None:
    check = ["manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    checked = run(check, tmp_path, **PRODUCTION[which])
    assert checked.returncode == 0, checked.stderr


@pytest.mark.parametrize(
    ("environment", "is_secure"),
    [
        ({"BEHIND_TLS_PROXY": "1"}, True),
        (PRODUCTION["one machine over TLS"], True),
        ({}, False),
        ({"FINESSE_DEMO": "1"}, False),
    ],
)
def test_cookies_are_secure_and_tls_is_remembered_where_it_is_known(
    environment: dict[str, str], is_secure: bool, tmp_path: Any
) -> None:
    names = "SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE", "SECURE_HSTS_SECONDS"
    script = f"from finesse import settings as s; print(*(bool(getattr(s, n)) for n in {names}))"
    found = run(["-c", script], tmp_path, **environment)
    assert found.stdout.split() == [str(is_secure)] * 3, found.stderr


@pytest.mark.parametrize(
    ("host", "demo", "remembers"),
    [("0.0.0.0", False, True), ("127.0.0.1", False, False), ("127.0.0.1", True, False)],
)
def test_run_over_tls_asks_to_be_remembered_by_others_only(
    host: str, demo: bool, remembers: bool, settings: Any, tmp_path: Any
) -> None:
    settings.FINESSE_DEMO, settings.FINESSE_DATA_DIR = demo, tmp_path
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = False
    settings.SECURE_HSTS_SECONDS = 0
    speak_tls(host)
    assert settings.SESSION_COOKIE_SECURE
    assert bool(settings.SECURE_HSTS_SECONDS) == remembers


@pytest.mark.parametrize(("scheme", "header"), [("https", "max-age=60"), ("http", None)])
def test_pages_over_tls_ask_to_be_remembered(
    scheme: str, header: str | None, settings: Any, db: None
) -> None:
    settings.SECURE_HSTS_SECONDS = 60
    page = Client().get("/login/", secure=scheme == "https")
    assert page.get("Strict-Transport-Security") == header


def test_a_form_from_before_a_sign_in_is_refused_in_words_that_help(db: None) -> None:
    refused = Client(enforce_csrf_checks=True).post("/login/", {"csrfmiddlewaretoken": "x" * 64})
    assert refused.status_code == 403
    assert "This page is out of date" in refused.content.decode()


class Inline(HTMLParser):
    """What a strict policy does not let a page do."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = dict(attributes)
        is_code = tag == "script" and "src" not in given and given.get("type") in {None, "module"}
        handlers = [name for name in given if name == "style" or name.startswith("on")]
        elsewhere = [
            value
            for name, value in attributes
            if name in {"src", "href"} and re.match(r"javascript:|//|data:", value or "")
        ]
        if tag == "style" or is_code or handlers or elsewhere:
            self.found.append(f"<{tag} {attributes}>")


def pages(cast: Cast) -> list[str]:
    found = ["/", "/finesse/docs/", "/nowhere", "/admin/", "/admin/nowhere", "/admin/jsi18n/"]
    found += ["/admin/password_change/", "/static/board/viewer.css", "/healthz", "/board/"]
    for model in admin.site._registry:
        base = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        found += [reverse(f"{base}_changelist"), reverse(f"{base}_changelist") + "?q=x&nothing=1"]
        found += [reverse(f"{base}_add"), reverse(f"{base}_add") + "?_popup=1"]
        if row := model._default_manager.last():
            found += [reverse(f"{base}_{name}", args=[row.pk]) for name in ("change", "history")]
            found += [reverse(f"{base}_delete", args=[row.pk])]
    return found


@pytest.mark.usefixtures("own_layer", "codes")
def test_every_page_has_the_policy_and_nothing_that_it_forbids(
    cast: Cast, api: API, settle: Callable[[], Any]
) -> None:
    api.put(LOGIN)
    tasks.sweep()
    passwords.verify("alice", "wrong")
    client = Client()
    answers = [client.get("/login/"), client.get("/admin/login/"), client.post("/login/", {})]
    client.force_login(User.objects.get(pk="dave"))
    addresses = pages(cast)
    answers += [client.get(address) for address in addresses]
    answers.append(client.post("/admin/media/media/add/", {}))
    for answer in answers:
        policy = answer["Content-Security-Policy"]
        assert policy.startswith("default-src 'self'")
        assert "unsafe" not in policy
        assert "*" not in policy
        if "html" in answer.get("Content-Type", "") and not answer.streaming:
            inline = Inline()
            inline.feed(answer.content.decode())
            assert not inline.found, answer.request["PATH_INFO"]
        # A file stays open until its answer is closed.
        answer.close()
