"""Names that people read: composed, visible, told apart; whichever way they come in."""

import sys
import unicodedata
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from finesse.db.names import (
    folded,
    is_visible,
    mend,
    tell_apart,
    validate_visible,
    visible,
    visible_pattern,
)
from finesse.users.models import Team, User
from media.models import MediaRoutingDomain
from reasoncodes.models import ReasonCode
from tests.conftest import API, Cast

COMPOSED, DECOMPOSED = "Café", "Cafe\u0301"
UNSEEN = (
    "\x07", "\x7f", "\u0085", "\u2028", "\u2029", "\u202e", "\u2066", "\u200b", "\u200d", "\ufeff",
    "\u00ad", "\u061c", "\ue000", "\U000f0000", "\U0010ffff", "\u0378", "\u3164", "\u2800",
    "\U000e0041",
)  # fmt: skip
FIELDS = [
    (ReasonCode, "label", {"category": "NOT_READY", "code": 7}),
    (Team, "name", {}),
    (MediaRoutingDomain, "name", {"id": 7000}),
    (MediaRoutingDomain, "description", {"id": 7000, "name": "New"}),
    (User, "first_name", {"login_id": "new"}),
    (User, "last_name", {"login_id": "new", "first_name": "New"}),
]


def identify(value: Any) -> str | None:
    return value.__name__ if isinstance(value, type) else None


@pytest.mark.parametrize("character", UNSEEN, ids=ascii)
@pytest.mark.parametrize(("model", "field", "others"), FIELDS, ids=identify)
def test_no_way_in_takes_what_nobody_sees(
    model: Any, field: str, others: dict[str, Any], character: str, db: None
) -> None:
    name = f"Tea{character}time"
    with pytest.raises(ValidationError):
        model(**others, **{field: name}).clean_fields()
    with pytest.raises(ValidationError):
        model.objects.create(**others, **{field: name})
    with pytest.raises(ValidationError):
        model.objects.bulk_create([model(**others, **{field: name})])
    with pytest.raises(ValidationError):
        model.objects.update(**{field: name})


@pytest.mark.parametrize(("model", "field", "others"), FIELDS, ids=identify)
def test_every_way_in_composes(model: Any, field: str, others: dict[str, Any], db: None) -> None:
    made = model.objects.create(**others, **{field: DECOMPOSED})
    assert getattr(made, field) == COMPOSED
    assert model.objects.get(**{field: DECOMPOSED}) == made
    model.objects.filter(pk=made.pk).update(**{field: DECOMPOSED + "s"})
    made.refresh_from_db()
    assert getattr(made, field) == COMPOSED + "s"


@given(st.text(max_size=12))
def test_what_is_visible_stays_so(text: str) -> None:
    mended = visible(text)
    validate_visible(mended)
    assert unicodedata.is_normalized("NFC", mended)
    assert visible(mended) == mended
    assert folded(unicodedata.normalize("NFD", mended)) == folded(mended)


def test_letters_of_every_script_are_visible() -> None:
    for text in ("Mittagspäuschen", "昼休み", "обед", "غداء", "दोपहर", "점심", "☕ 5 €", "❤️"):
        validate_visible(text)
    unseen = [chr(one) for one in range(sys.maxunicode + 1) if not is_visible(chr(one))]
    assert {unicodedata.category(one)[0] for one in unseen} >= {"C", "Z"}


@pytest.mark.usefixtures("cast", "own_layer")
@pytest.mark.parametrize(
    ("second", "taken"), [(DECOMPOSED, True), ("CAFE\u0301", True), ("Cafe", False)]
)
def test_a_label_is_taken_however_it_is_written(api: API, second: str, taken: bool) -> None:
    def add(code: int, label: str) -> int:
        body = (
            f"<ReasonCode><category>NOT_READY</category><code>{code}</code>"
            f"<label>{label}</label><forAll>true</forAll></ReasonCode>"
        )
        status: int = api.request("POST", "ReasonCode", body.encode(), login="dave").status_code
        return status

    assert add(70, COMPOSED) == 200
    assert add(71, second) == (400 if taken else 200)
    assert add(72, "a\u202eb") == 400
    browser = Client()
    browser.force_login(User.objects.get(pk="dave"))
    form = {"category": "NOT_READY", "code": 73, "label": second, "for_all": "on"}
    browser.post("/admin/reasoncodes/reasoncode/add/", form)
    assert not ReasonCode.objects.filter(code=73).exists()
    page = browser.post("/admin/reasoncodes/reasoncode/add/", {**form, "label": "a\u2028b"})
    assert "U+2028 is invisible" in page.content.decode()


UNIQUE = [
    (ReasonCode, "label", {"category": "NOT_READY", "code": 7}, {"code": 8}),
    (Team, "name", {}, {}),
    (MediaRoutingDomain, "name", {"id": 7000}, {"id": 7001}),
]


@pytest.mark.parametrize(("model", "field", "others", "second"), UNIQUE, ids=identify)
@pytest.mark.parametrize(
    ("taken", "name"),
    [("Tea", "tEA"), ("Café", "CAFE\u0301"), ("Straße", "STRASSE"), ("ОБЕД", "обед")],
)
def test_no_way_in_takes_a_name_that_is_another_ones_in_another_case(
    model: Any, field: str, others: Any, second: Any, taken: str, name: str, db: None
) -> None:
    first = model.objects.create(**others, **{field: taken})
    rival = {**others, **second, field: name}
    with pytest.raises(ValidationError):
        model(**rival).clean_fields()
    with pytest.raises(ValidationError), transaction.atomic():
        model.objects.create(**rival)
    with pytest.raises(ValidationError), transaction.atomic():
        model.objects.bulk_create([model(**rival)])
    with pytest.raises(ValidationError), transaction.atomic():
        model.objects.get_or_create(**rival)
    # One may write one's own name otherwise, and what is not the same is another name.
    setattr(first, field, name)
    first.full_clean()
    first.save()
    model.objects.create(**{**rival, field: f"{name}s"})


@pytest.mark.parametrize(("model", "field", "others", "second"), UNIQUE, ids=identify)
def test_what_does_not_save_a_row_is_refused_by_the_database(
    model: Any, field: str, others: Any, second: Any, db: None
) -> None:
    model.objects.create(**others, **{field: "Tea"})
    other = model.objects.create(**{**others, **second, field: "Coffee"})
    with pytest.raises(IntegrityError), transaction.atomic():
        model.objects.filter(pk=other.pk).update(**{field: "tEA"})


def test_a_retired_codes_label_is_free_and_so_is_one_of_another_category(db: None) -> None:
    retired = ReasonCode.objects.create(category="NOT_READY", code=7, label="Tea", retired=True)
    ReasonCode.objects.create(category="NOT_READY", code=8, label="TEA")
    ReasonCode.objects.create(category="LOGOUT", code=8, label="tea")
    retired.save()
    retired.retired = False
    with (
        pytest.raises(ValidationError, match="another reason code with this label"),
        transaction.atomic(),
    ):
        retired.save()


@pytest.mark.usefixtures("cast", "own_layer")
@pytest.mark.parametrize(
    ("page", "form"),
    [
        ("users/team", {}),
        ("media/mediaroutingdomain", {"id": 7000, "description": ""}),
    ],
)
def test_the_administration_says_that_a_name_is_taken(page: str, form: dict[str, Any]) -> None:
    browser = Client()
    browser.force_login(User.objects.get(pk="dave"))
    answer = browser.post(f"/admin/{page}/add/", {**form, "name": "cHAT"})
    assert answer.content.decode().count("has this name, in whatever case") == 1


def test_the_pattern_of_the_description_is_the_validator() -> None:
    pattern = visible_pattern()
    differ = [
        ascii(character)
        for character in map(chr, range(sys.maxunicode + 1))
        if unicodedata.category(character) != "Cn"
        and (bool(pattern.search(f"a{character}a")) != is_visible(character))
    ]
    assert differ == []
    for blank in " \u00a0\u3000":
        assert pattern.search(f"a{blank}a")
        assert not pattern.search(f"{blank}a")
        assert not pattern.search(f"a{blank}")
    assert not pattern.search("")


@pytest.mark.parametrize("login_id", [".", ".."])
def test_nobody_is_called_by_dots(login_id: str, cast: Cast) -> None:
    with pytest.raises(ValidationError, match="No client could address"):
        User(login_id=login_id, first_name="X").clean_fields(exclude=["password"])
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.create_user(login_id, first_name="X")
    User.objects.create_user("...", first_name="X")


class Rows:
    """As a migration sees them: plain fields."""

    model = Team

    def __init__(self, names: dict[int, str], pk: int | None = None) -> None:
        self.names, self.pk = names, pk

    def values_list(self, *_: str) -> Any:
        return self.names.items()

    def order_by(self, _: str) -> "Rows":
        return self

    def filter(self, pk: int) -> "Rows":
        return Rows(self.names, pk)

    def update(self, name: str) -> None:
        assert self.pk is not None
        self.names[self.pk] = name


def test_a_migration_tells_names_apart() -> None:
    names = {1: "Chat", 2: "chat", 3: "CHAT", 4: "chat (2)", 5: "Straße", 6: "strasse", 7: "x" * 64}
    names[8] = names[7].upper()
    rows = Rows(names)
    tell_apart(rows, "name")  # type: ignore[arg-type]
    assert names == {
        1: "Chat", 2: "chat (3)", 3: "CHAT (4)", 4: "chat (2)", 5: "Straße", 6: "strasse (2)",
        7: "x" * 64, 8: "X" * 56 + " (2)",
    }  # fmt: skip
    before = dict(names)
    tell_apart(rows, "name")  # type: ignore[arg-type]
    assert names == before


def test_a_migration_mends_what_is_there() -> None:
    names = {1: COMPOSED, 2: DECOMPOSED, 3: "\u202eabc", 4: "\u200b", 5: "\u200bfine", 6: "fine"}
    mend(Rows(names), ("name",))  # type: ignore[arg-type]
    assert names == {1: COMPOSED, 2: f"{COMPOSED} (2)", 3: "abc", 4: "?", 5: "fine (2)", 6: "fine"}
