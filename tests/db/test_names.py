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

from finesse.db.names import folded, is_visible, mend, validate_visible, visible
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


@pytest.mark.parametrize("login_id", [".", ".."])
def test_nobody_is_called_by_dots(login_id: str, cast: Cast) -> None:
    with pytest.raises(ValidationError, match="No client could address"):
        User(login_id=login_id, first_name="X").clean_fields(exclude=["password"])
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.create_user(login_id, first_name="X")
    User.objects.create_user("...", first_name="X")


def test_a_migration_mends_what_is_there(cast: Cast) -> None:
    class Rows:
        """As a migration sees them: plain fields."""

        model = Team
        written: dict[int, str]

        def __init__(self, names: dict[int, str], pk: int | None = None) -> None:
            self.names, self.pk = names, pk

        def values_list(self, *_: str) -> Any:
            return self.names.items()

        def filter(self, pk: int) -> "Rows":
            return Rows(self.names, pk)

        def update(self, name: str) -> None:
            assert self.pk is not None
            self.names[self.pk] = name

    names = {1: COMPOSED, 2: DECOMPOSED, 3: "\u202eabc", 4: "\u200b", 5: "\u200bfine", 6: "fine"}
    mend(Rows(names), ("name",))  # type: ignore[arg-type]
    assert names == {1: COMPOSED, 2: f"{COMPOSED} (2)", 3: "abc", 4: "?", 5: "fine (2)", 6: "fine"}
