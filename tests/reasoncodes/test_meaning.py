"""What a reason code means: its colour, its labels in other languages, its place, its times."""

from pathlib import Path
from typing import Any

import pytest
from django.contrib.staticfiles.finders import find
from django.core.exceptions import ValidationError

from reasoncodes.colours import DARK, LEAST_CONTRAST, LIGHT, PALETTE, contrast, validate_colour
from reasoncodes.languages import asked_for, label_in, tag, validate_translations
from reasoncodes.models import ReasonCode
from tests.conftest import API

LISTS = [
    "User/alice/ReasonCodes?category=NOT_READY",
    "TeamResource/{team}/ReasonCodes?category=NOT_READY",
]


def refusal(error: Any) -> str:
    return " ".join(error.value.messages)


# --- colours --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PALETTE)
def test_each_colour_of_the_palette_is_seen_on_every_page(name: str) -> None:
    validate_colour(PALETTE[name])
    assert min(contrast(PALETTE[name], one) for one in (LIGHT, DARK)) >= LEAST_CONTRAST


def test_the_contrast_is_that_of_wcag() -> None:
    assert contrast("#000000", "#ffffff") == 21
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize(
    ("colour", "words"),
    [
        ("teal", "“teal” is no colour. Write six hexadecimal digits"),
        ("#12345", "is no colour"),
        ("#ffd166", "#ffd166 is too light to be seen on a white page (its contrast is 1.4 : 1"),
        ("#ffd166", "Choose a darker shade, or one of: Blue #2f7ad1"),
        ("#1b2430", "#1b2430 is too dark to be seen on a dark page"),
    ],
)
def test_a_colour_that_cannot_be_seen_is_refused_with_others(colour: str, words: str) -> None:
    with pytest.raises(ValidationError) as error:
        validate_colour(colour)
    assert words in refusal(error)


def test_the_light_and_the_dark_page_are_those_of_the_style_sheet() -> None:
    css = Path(str(find("board/common.css"))).read_text()
    assert f"--surface: {LIGHT};" in css
    assert f"--surface: {DARK};" in css


# --- languages ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        ("de", "de"),
        ("de_DE", "de-DE"),
        ("PT-br", "pt-BR"),
        ("zh_hant", "zh-Hant"),
        ("es-419", "es-419"),
        ("x", ""),
        ("de-", ""),
        ("<b>", ""),
    ],
)
def test_a_language_has_one_tag(given: str, stored: str) -> None:
    assert tag(given) == stored


@pytest.mark.parametrize(
    ("asked", "label"),
    [
        ((), "Lunch"),
        (("de",), "Mittag"),
        (("de-AT",), "Mittag"),
        (("pt",), "Almoço"),
        (("fr", "de"), "Mittag"),
        (("fr",), "Lunch"),
        (("*",), "Lunch"),
        # Labels are written in English: a second language is no better than the first.
        (("en-US", "en", "de"), "Lunch"),
        (("en-GB",), "Dinner"),
        (("en",), "Lunch"),
    ],
)
def test_a_label_is_in_the_first_language_that_it_has(asked: tuple[str, ...], label: str) -> None:
    translations = {"de": "Mittag", "pt-BR": "Almoço", "en-GB": "Dinner"}
    assert label_in(asked, "Lunch", translations) == label


def test_labels_may_be_written_in_another_language(settings: Any) -> None:
    settings.FINESSE_LABEL_LANGUAGE = "de"
    assert label_in(("de-AT", "en"), "Mittag", {"en": "Lunch"}) == "Mittag"
    assert label_in(("en-US",), "Mittag", {"en": "Lunch"}) == "Lunch"


@pytest.mark.parametrize(
    ("meta", "languages"),
    [
        ({}, ()),
        ({"HTTP_ACCEPT_LANGUAGE": "fr;q=0.5, de-AT, en;q=0"}, ("de-AT", "fr")),
        ({"HTTP_LOCALE": "de_DE", "HTTP_ACCEPT_LANGUAGE": "fr"}, ("de-DE",)),
        ({"HTTP_LOCALE": "", "HTTP_ACCEPT_LANGUAGE": "fr"}, ("fr",)),
        ({"HTTP_LOCALE": "'; DROP", "HTTP_ACCEPT_LANGUAGE": "*"}, ("*",)),
        ({"HTTP_ACCEPT_LANGUAGE": "\x00;;;q=q"}, ()),
    ],
)
def test_a_request_names_its_languages(meta: dict[str, str], languages: tuple[str, ...]) -> None:
    assert asked_for(meta) == languages


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ([], "Give the labels by their languages"),
        ({"german": "x"}, "“german” is no language. Write tags as in de"),
        ({"de_DE": "x"}, "“de_DE” is no language. Write de-DE."),
        ({"de": " "}, "The label in German is empty"),
        ({"de": 7}, "The label in German is empty"),
        ({"de": " x"}, "blanks around it"),
        ({"de": "x" * 41}, "The label in German has 41 characters, and 40 at most fit."),
        ({"de": "a\u202eb"}, "The label in German: Use printable characters only"),
        ({f"a{chr(97 + n % 26)}{chr(97 + n // 26)}": "x" for n in range(31)}, "30 languages"),
    ],
)
def test_translations_that_cannot_be_are_refused(value: Any, words: str) -> None:
    with pytest.raises(ValidationError) as error:
        validate_translations(value)
    assert words in refusal(error)


def list_of(api: API, path: str, **headers: str) -> str:
    team = ReasonCode.objects.get(label="Coaching").teams.get().pk
    response = api.request("GET", path.format(team=team), **headers)
    assert response.status_code == 200
    return response.content.decode()


@pytest.mark.parametrize("path", LISTS)
def test_an_agents_list_is_in_the_language_that_is_asked_for(
    api: API, codes: dict[str, ReasonCode], path: str
) -> None:
    plain = list_of(api, path)
    lunch = codes["Lunch"]
    lunch.translations = {"de": "Mittagspause"}
    lunch.save()
    assert list_of(api, path) == plain
    assert list_of(api, path, **{"Accept-Language": "*"}) == plain
    assert list_of(api, path, locale="en_US") == plain
    german = plain.replace("<label>Lunch<", "<label>Mittagspause<")
    assert german != plain
    assert list_of(api, path, locale="de_DE") == german
    assert list_of(api, path, **{"Accept-Language": "fr, de;q=0.5"}) == german


def test_one_that_a_user_may_choose_is_in_that_language_and_the_configuration_is_not(
    api: API, codes: dict[str, ReasonCode]
) -> None:
    lunch = codes["Lunch"]
    lunch.translations = {"de": "Mittagspause"}
    lunch.save()
    chosen = api.request("GET", f"User/alice/ReasonCode/{lunch.pk}", locale="de")
    assert "Mittagspause" in chosen.content.decode()
    # Sent back whole, a translation would become the label.
    configured = api.request("GET", f"ReasonCode/{lunch.pk}", locale="de", login="dave")
    assert "<label>Lunch</label>" in configured.content.decode()


# --- the order, and the times ---------------------------------------------------------------------


def labels(text: str) -> list[str]:
    return [part.split("<")[0] for part in text.split("<label>")[1:]]


@pytest.mark.parametrize("path", LISTS)
def test_codes_with_a_place_come_first(api: API, codes: dict[str, ReasonCode], path: str) -> None:
    for code, label in ((9, "Training"), (8, "Meeting")):
        ReasonCode.objects.create(category="NOT_READY", code=code, label=label)
    assert labels(list_of(api, path)) == ["Lunch", "Coaching", "Meeting", "Training"]
    for label, place in (("Training", 1), ("Coaching", 2)):
        ReasonCode.objects.filter(label=label).update(place=place)
    assert labels(list_of(api, path)) == ["Training", "Coaching", "Lunch", "Meeting"]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"warning_minutes": 5}, "A warning needs a maximum time"),
        ({"maximum_minutes": 30, "warning_minutes": 30}, "Give fewer minutes than the maximum"),
        ({"maximum_minutes": 30, "category": "LOGOUT"}, "A maximum time is for reasons for being"),
        ({"colour": "#ffffff"}, "too light"),
        ({"translations": {"de": ""}}, "The label in German is empty"),
        ({"place": 0}, "greater than or equal to 1"),
    ],
)
@pytest.mark.django_db
def test_a_meaning_that_cannot_be_is_refused_in_plain_words(
    fields: dict[str, Any], words: str
) -> None:
    code = ReasonCode(**{"category": "NOT_READY", "code": 7, "label": "Tea", **fields})
    with pytest.raises(ValidationError) as error:
        code.full_clean()
    assert words in refusal(error)


@pytest.mark.django_db
def test_a_meaning_that_can_be_is_taken() -> None:
    ReasonCode(
        category="NOT_READY",
        code=7,
        label="Tea",
        colour=PALETTE["Teal"].upper(),
        translations={"de": "Tee", "fr": "Thé"},
        productive=False,
        maximum_minutes=15,
        warning_minutes=3,
        place=4,
    ).full_clean()


# --- one label in one language --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("others", "own"),
    [
        ({"de": "Pause"}, {"label": "Tea", "translations": {"de": "pause"}}),
        ({"de": "Pause"}, {"label": "Tea", "translations": {"de-AT": "Pause"}}),
        # Who reads German gets the label of a code that is not translated.
        ({"de": "Pause"}, {"label": "Pause", "translations": {}}),
        ({}, {"label": "Tea", "translations": {"de": "LUNCH"}}),
    ],
)
def test_two_codes_are_not_called_the_same_in_one_language(
    others: dict[str, str], own: dict[str, Any], codes: dict[str, ReasonCode]
) -> None:
    ReasonCode.objects.filter(label="Lunch").update(translations=others)
    new = ReasonCode(category="NOT_READY", code=7, **own)
    with pytest.raises(ValidationError) as error:
        new.full_clean()
    assert "called the same in one of the languages" in refusal(error)
    assert new.taken() == ["translations"]
    new.category = "LOGOUT"
    new.full_clean()
    new.category, new.retired = "NOT_READY", True
    new.full_clean()


def test_codes_may_be_called_the_same_in_different_languages(codes: dict[str, ReasonCode]) -> None:
    ReasonCode.objects.filter(label="Lunch").update(translations={"de": "Pause"})
    french = {"fr": "Pause", "de": "Rast"}
    ReasonCode(category="NOT_READY", code=7, label="Break", translations=french).full_clean()


def test_the_api_refuses_a_label_that_another_code_has_in_another_language(
    api: API, codes: dict[str, ReasonCode]
) -> None:
    ReasonCode.objects.filter(label="Lunch").update(translations={"de": "Pause"})
    body = (
        "<ReasonCode><category>NOT_READY</category><code>12</code><label>pause</label>"
        "<forAll>true</forAll></ReasonCode>"
    )
    refused = api.request("POST", "ReasonCode", body, login="dave")
    assert refused.status_code == 400
    assert "Another reason code of this category has this label" in refused.content.decode()
    assert not ReasonCode.objects.filter(code=12).exists()
