"""Odd addresses of the admin: whatever is asked for, the answer is never an error 500."""

import os
import random
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from finesse.users.models import User
from tests.conftest import Cast

pytestmark = [
    # An error of PostgreSQL must not end what a test's own transaction would.
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("own_layer", "codes"),
]
THOROUGHLY = 8 if "FINESSE_FUZZ" in os.environ else 1
"""How many times as many addresses `make fuzz` asks for."""
MODELS = [model for model in admin.site._registry if model._meta.app_label != "auth"]
LOOKUPS = (
    "", "exact", "iexact", "gt", "gte", "lt", "lte", "in", "range", "isnull", "contains",
    "startswith", "regex", "iregex", "search", "year", "date", "date__gte", "time", "week_day",
    "hour__gt", "pk", "id__exact", "isnull__exact", "foo", "_", "exact__exact", "0",
)  # fmt: skip
VALUES = (
    "", "x", "0", "-1", "1", "1_0", "2147483648", "9" * 19, "9" * 40, "-" + "9" * 400, "1e400",
    "NaN", "٣", "\0", "a\0b", "\ud800".encode("utf-8", "surrogatepass").decode("latin-1"), "(",
    "[", "*", "(a+)+$", "None", "True", "2", "1,2", ",", "{}", "[1]", "'", '"', "%", "\\",
    "9999-12-31 23:59:59-12:00", "0001-01-01 00:00:00+12:00", "9999-12-31", "0000-00-00",
    "2026-02-30", "2026-13-01T25:00", "10000-01-01", "23:59:60", "é" * 300, "x" * 4000,
)  # fmt: skip


@pytest.fixture
def dave(cast: Cast) -> Client:
    browser = Client(raise_request_exception=False)
    browser.force_login(User.objects.get(pk="dave"))
    return browser


def page(model: Any, name: str, *arguments: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{name}", args=arguments)


def queries(model: Any) -> list[str]:
    """Each field by each lookup with each value, and what the lists themselves understand."""
    fields = [field.name for field in model._meta.get_fields()] + ["user__team", "nothing"]
    keys = [f"{field}__{lookup}".rstrip("_") for field in fields for lookup in LOOKUPS]
    keys += ["q", "o", "p", "all", "e", "_to_field", "_popup", "_facets", "_changelist_filters"] * 5
    return [urlencode({key: value}) for key in keys for value in VALUES]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_no_list_fails_at_a_lookup(model: Any, dave: Client) -> None:
    every = queries(model)
    some = random.Random(model.__name__).sample(every, 40 * THOROUGHLY)
    named = [
        urlencode({key: value})
        for key, value in FOUND
        if key.split("__")[0]
        in {field.name for field in model._meta.get_fields()} | {"o", "p", "q"}
    ]
    for query in named + some:
        answer = dave.get(f"{page(model, 'changelist')}?{query}")
        assert answer.status_code < 500, query


FOUND = [
    ("started_at__gte", "9999-12-31 23:59:59-12:00"),
    ("started_at__lt", "0001-01-01 00:00:00+12:00"),
    ("accepted_at__gte", "9999-12-31 23:59:59-12:00"),
    ("at__gte", "9999-12-31 23:59:59-12:00"),
    ("mrd__id__exact", "9" * 40),
    ("team__id__exact", "9" * 40),
    ("teams__id__exact", "x"),
    ("login_id__regex", "("),
    ("p", "9" * 30),
    ("o", "9" * 30),
    ("q", "a\0b"),
]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_no_page_fails_at_an_impossible_object(model: Any, dave: Client) -> None:
    for value in random.Random(model.__name__).sample(VALUES, min(len(VALUES), 5 * THOROUGHLY)):
        given = ("id", "mrd", "user", "team", "teams", "_to_field", "p", "index")
        query = urlencode(dict.fromkeys(given, value))
        for name in ("change", "history", "delete"):
            base = page(model, name, "ID").split("ID")
            address = base[0] + quote(value or "%00") + base[1]
            assert dave.get(address).status_code < 500, address
            assert dave.get(f"{address}?{query}").status_code < 500, (address, query)
        assert dave.get(f"{page(model, 'add')}?{query}").status_code < 500, query
        chosen = {"_selected_action": value, "select_across": value, "index": value}
        for action in ("retire", "lose_connection", "lift_block", "delete_selected", value):
            for form in (chosen, {"_selected_action": value}):
                answer = dave.post(page(model, "changelist"), {**form, "action": action})
                assert answer.status_code < 500, (action, value)


@pytest.mark.parametrize("value", VALUES, ids=range(len(VALUES)))
def test_no_completion_fails(value: str, dave: Client) -> None:
    ask = {"app_label": "users", "model_name": "user", "field_name": "team"}
    for key in (*ask, "term", "page", "id__gte"):
        answer = dave.get(reverse("admin:autocomplete"), {**ask, key: value})
        assert answer.status_code < 500, key
    assert dave.get(f"/admin/r/{quote(value or '1')}/{quote(value or '1')}/").status_code < 500
    assert dave.get(f"/admin/{quote(value)}").status_code < 500


@pytest.mark.parametrize(
    "query", ["q=" + "a+" * 2000, "q=" + "x" * 60_000, "login_id=" + "1," * 9000]
)
def test_a_list_refuses_to_search_for_too_much(query: str, dave: Client) -> None:
    assert dave.get(f"/admin/users/user/?{query}").status_code == 400
