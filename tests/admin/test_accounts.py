"""Accounts: passwords, first sign-ins, links and ends of sign-ins, by role and address."""

import csv
import io
import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.admin.utils import quote
from django.contrib.auth.password_validation import validate_password
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.core import management
from django.core.exceptions import ValidationError
from django.db import OperationalError
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from finesse.users import sessions, sign_ins
from finesse.users.lockout import count_failure
from finesse.users.models import BrowserSession, SignInFailures, User
from finesse.users.passwords import verify
from finesse.users.sign_ins import browser_name
from finesse.xmpp import sasl
from finesse.xmpp.sasl import SASLError
from tests.conftest import API, PASSWORD, Cast

pytestmark = pytest.mark.usefixtures("own_layer")
NEW = "a longer battery staple"
ROLES = ("alice", "carol", "dave")
"""An agent, a supervisor, the administrator."""
NOT_ADMINISTRATORS = ("alice", "carol")
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def signed_in(login: str, password: str = PASSWORD, **headers: str) -> Client:
    browser = Client(headers={"User-Agent": FIREFOX, **headers})
    answer = browser.post("/login/", {"username": login, "password": password})
    assert answer.status_code == 302, answer.content
    return browser


def is_in(browser: Client) -> bool:
    return browser.get("/account/").status_code == 200


def change(browser: Client, old: str = PASSWORD, new: str = NEW, again: str | None = None) -> Any:
    form = {"old_password": old, "new_password1": new, "new_password2": again or new}
    return browser.post("/password/", form)


def choose(browser: Client, password: str = NEW, **more: str) -> Any:
    form = {"new_password1": password, "new_password2": password, **more}
    return browser.post("/password/choose/", form)


def account_of(login: str) -> str:
    return reverse("admin:users_user_account", args=[login])


def link_for(login: str, administrator: Client) -> str:
    page = administrator.post(account_of(login), {"do": "link"})
    (link,) = re.findall(r'<code id="link">http://testserver(/[^<]+)</code>', page.content.decode())
    return str(link)


def must_change(login: str) -> None:
    User.objects.filter(pk=login).update(must_change_password=True)


# --- one's own password -------------------------------------------------------------------------


@pytest.mark.parametrize("login", ROLES)
def test_everybody_changes_the_own_password_and_stays_in_this_browser_alone(
    cast: Cast, api: API, login: str
) -> None:
    browser, other = signed_in(login), signed_in(login)
    assert api.request("GET", f"User/{login}", login=login).status_code == 200

    assert change(browser).url == "/account/"
    assert "Your password is changed" in browser.get("/account/").content.decode()
    assert not is_in(other)
    assert api.request("GET", f"User/{login}", login=login).status_code == 401
    assert api.request("GET", f"User/{login}", login=login, password=NEW).status_code == 200
    assert BrowserSession.objects.filter(user=login).count() == 1


@pytest.mark.parametrize(
    ("old", "new", "again", "complaint"),
    [
        ("wrong", NEW, NEW, "This is not your password"),
        ("with\0nul", NEW, NEW, "Null characters are not allowed"),
        (PASSWORD, PASSWORD, PASSWORD, "This is the password that you have now"),
        (PASSWORD, NEW, "another", "didn’t match"),
        (PASSWORD, "short", "short", "too short"),
        (PASSWORD, "password123", "password123", "too common"),
    ],
)
def test_a_refused_password_says_why_and_changes_nothing(
    cast: Cast, old: str, new: str, again: str, complaint: str
) -> None:
    browser = signed_in("alice")
    page = change(browser, old, new, again)
    assert complaint in page.content.decode().replace("&#x27;", "'")
    assert is_in(signed_in("alice"))


@pytest.mark.parametrize("login", ["10020030", "maria.lopez"])
def test_a_login_id_is_no_password(login: str) -> None:
    with pytest.raises(ValidationError, match="too similar"):
        validate_password(login, User(login_id=login, first_name="Ana", last_name="Lima"))


def test_the_old_password_cannot_be_guessed_on_the_page(cast: Cast, settings: Any) -> None:
    browser = signed_in("alice")
    for _ in range(settings.FINESSE_LOCKOUT_FAILURES):
        change(browser, "wrong")
    assert SignInFailures.objects.get(login_id="alice").blocked_until is not None


def test_the_administrations_link_leads_to_the_same_page(cast: Cast) -> None:
    assert signed_in("carol").get("/admin/password_change/").url == "/password/"
    own = reverse("admin:auth_user_password_change", args=["dave"])
    assert signed_in("dave").get(own).url == "/password/"


@pytest.mark.parametrize("address", ["/account/", "/password/"])
def test_a_stranger_is_asked_to_sign_in(cast: Cast, address: str) -> None:
    assert Client().get(address).url == f"/login/?next={address}"


# --- the first sign-in --------------------------------------------------------------------------


def test_who_must_choose_a_password_does_nothing_before(cast: Cast, api: API) -> None:
    before = signed_in("alice")
    must_change("alice")
    assert not is_in(before)
    assert api.get().status_code == 401
    assert User.objects.get(pk="alice").sign_in_failed is False

    browser = Client()
    asked = browser.post("/login/", {"username": "alice", "password": PASSWORD, "next": "/account"})
    assert asked.url == "/password/choose/?next=%2Faccount"
    assert not is_in(browser)
    assert browser.get("/board/", headers={"Accept": "application/json"}).status_code == 401
    assert browser.get(asked.url).status_code == 200
    assert "password that you have now" in choose(browser, PASSWORD).content.decode()

    assert choose(browser, next="/account").url == "/account"
    assert is_in(browser)
    assert api.get(password=NEW).status_code == 200
    assert api.get().status_code == 401


def test_an_xmpp_client_of_who_must_choose_a_password_is_refused(cast: Cast) -> None:
    must_change("alice")
    with pytest.raises(SASLError, match="not-authorized"):
        sasl.sign_in("alice", PASSWORD)


def test_the_flag_costs_the_api_no_query(
    cast: Cast, api: API, django_assert_num_queries: Any
) -> None:
    api.get()
    with django_assert_num_queries(1, info="the user's row, which is read anyway"):
        assert verify("alice", PASSWORD, "127.0.0.1")


def test_a_wrong_password_does_not_reach_the_choice(cast: Cast) -> None:
    must_change("alice")
    browser = Client()
    answer = browser.post("/login/", {"username": "alice", "password": "wrong"})
    assert answer.status_code == 200
    assert browser.get("/password/choose/").status_code == 410


def test_nobody_is_led_to_another_site_after_the_choice(cast: Cast) -> None:
    must_change("alice")
    browser = Client()
    browser.post("/login/", {"username": "alice", "password": PASSWORD, "next": "//evil.example/"})
    assert choose(browser, next="//evil.example/").url == "/"


def test_the_administrations_sign_in_says_where_a_password_is_chosen(cast: Cast) -> None:
    must_change("carol")
    browser = Client()
    page = browser.post("/admin/login/", {"username": "carol", "password": PASSWORD})
    assert "/login/?next=%2Fadmin%2F" in page.content.decode()
    assert not is_in(browser)


def test_a_password_that_an_administrator_sets_is_to_be_changed_unless_told_otherwise(
    cast: Cast,
) -> None:
    browser = signed_in("dave")
    page = reverse("admin:auth_user_password_change", args=["alice"])
    assert browser.get(page).context["form"]["must_change_password"].value() is True
    form = {"password1": NEW, "password2": NEW, "set-password": "1", "usable_password": "true"}
    browser.post(page, {**form, "must_change_password": "on"})
    assert User.objects.get(pk="alice").must_change_password
    browser.post(page, form)
    assert not User.objects.get(pk="alice").must_change_password


@pytest.mark.parametrize("given", ["password", "none"])
def test_a_new_user_chooses_a_password_at_the_first_sign_in(cast: Cast, given: str) -> None:
    browser = signed_in("dave")
    fresh = browser.get("/admin/users/user/add/").context["adminform"].form
    assert fresh["must_change_password"].value() is True
    passwords = {"password1": NEW, "password2": NEW} if given == "password" else {}
    browser.post(
        "/admin/users/user/add/",
        {
            "login_id": "erin",
            "first_name": "Erin",
            "must_change_password": "on",
            "media-TOTAL_FORMS": "0",
            "media-INITIAL_FORMS": "0",
            **passwords,
        },
    )
    erin = User.objects.get(pk="erin")
    assert erin.has_usable_password() == (given == "password")
    assert erin.must_change_password == (given == "password")


def test_one_password_field_alone_is_refused(cast: Cast) -> None:
    form = {"login_id": "erin", "first_name": "Erin", "password1": NEW}
    page = signed_in("dave").post("/admin/users/user/add/", form)
    assert "leave both fields empty" in page.content.decode()
    assert not User.objects.filter(pk="erin").exists()


def test_who_was_made_by_a_command_or_for_the_demo_need_not_change(cast: Cast) -> None:
    management.call_command("createsuperuser", login_id="root", first_name="R", interactive=False)
    assert not User.objects.get(pk="root").must_change_password
    assert not cast.alice.must_change_password


# --- sign-in links ------------------------------------------------------------------------------


def test_a_link_works_once(cast: Cast, api: API) -> None:
    User.objects.filter(pk="alice").update(password="!")
    link = link_for("alice", signed_in("dave"))
    browser, late = Client(), Client()
    # Looking uses nothing up.
    assert Client().get(link).status_code == 302
    assert late.get(link, follow=True).status_code == 200
    assert "Alice" in browser.get(link, follow=True).content.decode()
    assert choose(browser).url == "/"
    assert is_in(browser)
    assert api.get(password=NEW).status_code == 200
    for void in (late.get("/password/choose/"), choose(late, "a third one 123"), late.get(link)):
        assert void.status_code == 410
        assert "ask your administrator" in void.content.decode()


def test_a_link_ends_with_its_days(
    cast: Cast, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = link_for("alice", signed_in("dave"))
    for seconds, status in ((-60, 302), (60, 410)):
        then = datetime.now() + timedelta(seconds=settings.PASSWORD_RESET_TIMEOUT + seconds)
        monkeypatch.setattr(PasswordResetTokenGenerator, "_now", lambda self, then=then: then)
        assert Client().get(link).status_code == status


@pytest.mark.parametrize("event", ["deactivated", "ended", "signed in", "new password"])
def test_what_else_voids_a_link(cast: Cast, event: str) -> None:
    administrator = signed_in("dave")
    link = link_for("alice", administrator)
    alice = User.objects.get(pk="alice")
    match event:
        case "deactivated":
            User.objects.filter(pk="alice").update(is_active=False)
        case "ended":
            administrator.post(account_of("alice"), {"do": "end"})
        case "signed in":
            signed_in("alice")
        case "new password":
            alice.set_password(NEW)
            alice.save()
    assert Client().get(link).status_code == 410


@pytest.mark.parametrize(
    "address", ["/sign-in/YWxpY2U/x/", "/sign-in/%00/a-b/", "/sign-in/AA/a-b/", "/sign-in/ü/a-b/"]
)
def test_an_invented_link_is_void(cast: Cast, address: str) -> None:
    assert Client().get(address).status_code == 410


def test_a_link_signs_out_who_used_the_browser_before(cast: Cast) -> None:
    browser = signed_in("dave")
    link = link_for("alice", browser)
    browser.get(link)
    assert not is_in(browser)
    choose(browser)
    assert browser.get("/account/").context["user"].pk == "alice"


def links_of(browser: Client, *logins: str) -> Any:
    chosen = {"action": "sign_in_links", "_selected_action": logins}
    return browser.post("/admin/users/user/", chosen)


def test_links_for_many_come_as_a_file_that_no_spreadsheet_runs(cast: Cast) -> None:
    User.objects.filter(pk="alice").update(first_name="=cmd|' /C calc'!A0")
    User.objects.filter(pk="bob").update(is_active=False)
    answer = links_of(signed_in("dave"), "alice", "bob", "carol")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="sign-in-links.csv"'
    assert "no-store" in answer.headers["Cache-Control"]
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert [row["login ID"] for row in rows] == ["alice", "bob", "carol"]
    assert rows[0]["first name"].startswith("'=")
    assert (rows[1]["sign-in link"], rows[1]["note"]) == ("", "Not active: no link.")
    browser = Client()
    browser.get(rows[2]["sign-in link"].removeprefix("http://testserver"))
    assert choose(browser).url == "/"


# --- blocks and sign-ins ------------------------------------------------------------------------


def test_failures_that_were_pruned_can_be_forgotten_of_the_user_too(cast: Cast) -> None:
    User.objects.filter(pk="alice").update(sign_in_failed=True)
    administrator = signed_in("dave")
    forget = "Forget the wrong passwords"
    assert forget in administrator.get(account_of("alice")).content.decode()
    page = administrator.post(account_of("alice"), {"do": "lift"}).content.decode()
    assert forget not in page
    assert not User.objects.get(pk="alice").sign_in_failed


@pytest.mark.parametrize("login", ["agent_22", "a_5Fb"])
def test_links_lead_to_a_user_whose_login_id_looks_like_an_escape(cast: Cast, login: str) -> None:
    user = User.objects.create_user(login, PASSWORD, first_name="Odd", team=cast.alice.team)
    user.media.create(mrd_id=5000)
    administrator = signed_in("dave")
    team = reverse("admin:users_team_change", args=[cast.alice.team_id])
    own = reverse("admin:users_user_change", args=[quote(login)])
    for address in (own, account_of(login), team):
        page = administrator.get(address).content.decode()
        links = set(re.findall(rf'href="(/admin/users/user/[^"]*{login[:2]}[^"]*)"', page))
        assert links
        for link in links:
            assert administrator.get(link).status_code == 200, link


def test_an_own_password_is_changed_with_the_old_one_whatever_the_login_id(cast: Cast) -> None:
    User.objects.create_superuser("dave_5Fx", PASSWORD, first_name="Dave")
    administrator = signed_in("dave_5Fx")
    address = reverse("admin:auth_user_password_change", args=[quote("dave_5Fx")])
    assert administrator.get(address).url == "/password/"


def test_a_block_is_said_in_a_sentence_and_lifted(cast: Cast, settings: Any) -> None:
    administrator = signed_in("dave")
    for _ in range(settings.FINESSE_LOCKOUT_FAILURES):
        count_failure("alice", "192.0.2.7")
    for page in (account_of("alice"), "/admin/users/user/alice/change/"):
        assert "Blocked at 192.0.2.7 until" in administrator.get(page).content.decode()
    page = administrator.post(account_of("alice"), {"do": "lift"}).content.decode()
    assert "Not blocked." in page
    assert not SignInFailures.objects.exists()


def test_the_account_says_where_the_user_is_signed_in(cast: Cast) -> None:
    signed_in("alice")
    page = signed_in("dave").get(account_of("alice")).content.decode()
    assert "Firefox on Linux" in page
    assert "127.0.0.1" in page


@pytest.mark.parametrize("login", ROLES)
def test_everybody_ends_the_own_other_sessions(cast: Cast, login: str) -> None:
    browser, other = signed_in(login), signed_in(login)
    assert len(browser.get("/account/").context["sign_ins"]) == 2
    browser.post("/account/")
    assert not is_in(other)
    assert is_in(browser)
    assert len(browser.get("/account/").context["sign_ins"]) == 1
    assert is_in(signed_in(login))


def test_an_administrator_ends_all_sessions_of_a_user(cast: Cast) -> None:
    administrator, alice, bob = signed_in("dave"), signed_in("alice"), signed_in("bob")
    page = administrator.post(account_of("alice"), {"do": "end"})
    assert "In no browser." in page.content.decode()
    assert (is_in(alice), is_in(bob), is_in(administrator)) == (False, True, True)


def test_an_administrator_who_ends_the_own_sessions_stays(cast: Cast) -> None:
    administrator, other = signed_in("dave"), signed_in("dave")
    administrator.post(account_of("dave"), {"do": "end"})
    assert (is_in(administrator), is_in(other)) == (True, False)


def names_of(page: Any) -> list[str]:
    """What the page calls the sessions that it offers to end."""
    return re.findall(r'name="session" value="([0-9a-f]+)"', page.content.decode())


@pytest.mark.parametrize("login", ROLES)
def test_everybody_ends_one_of_the_own_sessions_and_no_other(cast: Cast, login: str) -> None:
    browser, kept, lost = signed_in(login), signed_in(login), signed_in(login)
    key = lost.cookies["sessionid"].value
    page = browser.get("/account/")
    (named,) = (one.named for one in page.context["sign_ins"] if one.session.pk == key)
    assert named in names_of(page)
    assert len(names_of(page)) == 2, "this browser's is not offered"
    assert key not in page.content.decode()
    said = browser.post("/account/", {"session": named}, follow=True).content.decode()
    assert "Ended: Firefox on Linux, from 127.0.0.1." in said
    assert (is_in(browser), is_in(kept), is_in(lost)) == (True, True, False)
    again = browser.post("/account/", {"session": named}, follow=True).content.decode()
    assert "That session has ended already." in again


@pytest.mark.parametrize("named", ["", "nonsense", "\0", "ä" * 100, "0" * 32])
def test_a_session_that_is_none_ends_nothing(cast: Cast, named: str) -> None:
    browser, other = signed_in("alice"), signed_in("alice")
    said = browser.post("/account/", {"session": named}, follow=True).content.decode()
    assert "That session has ended already." in said
    assert (is_in(browser), is_in(other)) == (True, True)


def test_nobody_ends_somebody_elses_session_or_the_own_present_one_by_its_name(cast: Cast) -> None:
    alice, bob, bobs_other = signed_in("alice"), signed_in("bob"), signed_in("bob")
    for one in bob.get("/account/").context["sign_ins"]:
        alice.post("/account/", {"session": one.named})
        if one.is_this:
            bob.post("/account/", {"session": one.named})
    assert (is_in(alice), is_in(bob), is_in(bobs_other)) == (True, True, True)


def test_an_administrator_ends_one_session_of_a_user(cast: Cast) -> None:
    administrator, lost, kept = signed_in("dave"), signed_in("alice"), signed_in("alice")
    key = lost.cookies["sessionid"].value
    page = administrator.get(account_of("alice"))
    (named,) = (one.named for one in page.context["sign_ins"] if one.session.pk == key)
    said = administrator.post(account_of("alice"), {"do": "end-one", "session": named})
    assert "Ended: Firefox on Linux, from 127.0.0.1." in said.content.decode()
    assert (is_in(lost), is_in(kept), is_in(administrator)) == (False, True, True)
    history = administrator.get("/admin/users/user/alice/history/").content.decode()
    assert "Ended the session of Firefox on Linux." in history


def test_a_script_that_asks_with_a_former_key_takes_no_cookie_away(cast: Cast) -> None:
    browser, tab = signed_in("alice"), Client()
    tab.cookies["sessionid"] = browser.cookies["sessionid"].value
    change(browser)
    answer = tab.get("/board/", headers={"Accept": "application/json"})
    assert answer.status_code == 401
    assert "sessionid" not in answer.cookies


@pytest.mark.parametrize("path", ["/", "/account/", "/admin/"])
def test_nor_does_a_page_that_is_opened_with_one(path: str, cast: Cast) -> None:
    browser, tab = signed_in("alice"), Client()
    tab.cookies["sessionid"] = browser.cookies["sessionid"].value
    change(browser)
    answer = tab.get(path)
    assert answer.status_code == 302
    assert "sessionid" not in answer.cookies


def test_a_session_is_seen_again_after_a_minute(cast: Cast) -> None:
    browser, before = signed_in("alice"), timezone.now()
    sessions._noted.clear()
    BrowserSession.objects.update(last_seen=before - timedelta(hours=1))
    browser.get("/account/")
    assert BrowserSession.objects.get(user="alice").last_seen >= before
    BrowserSession.objects.update(last_seen=before - timedelta(seconds=5))
    browser.get("/account/")
    assert BrowserSession.objects.get(user="alice").last_seen < before


def test_what_was_saved_is_answered_so_though_the_session_cannot_be_noted_as_seen(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = signed_in("alice")

    def no_time_left(keys: Any) -> None:
        raise OperationalError

    monkeypatch.setattr(sessions, "note_used", no_time_left)
    assert browser.get("/account/").status_code == 200


def test_deleting_a_user_shows_no_session_key(cast: Cast) -> None:
    signed_in("alice")
    key = BrowserSession.objects.get(user="alice").pk
    page = signed_in("dave").get("/admin/users/user/alice/delete/").content.decode()
    assert key not in page


# --- who may ------------------------------------------------------------------------------------


@pytest.mark.parametrize("act", ["", "link", "lift", "end", "end-one"])
@pytest.mark.parametrize("login", NOT_ADMINISTRATORS)
def test_only_administrators_run_accounts(cast: Cast, login: str, act: str) -> None:
    browser, bob = signed_in(login), signed_in("bob")
    address = account_of("bob")
    named = sign_ins.name_of(BrowserSession.objects.get(user="bob"))
    asked = {"do": act, "session": named}
    answer = browser.post(address, asked) if act else browser.get(address)
    assert answer.status_code == (302 if login == "alice" else 403)
    assert is_in(bob)


@pytest.mark.parametrize("login", NOT_ADMINISTRATORS)
def test_only_administrators_get_links_for_many(cast: Cast, login: str) -> None:
    answer = links_of(signed_in(login), "bob")
    assert answer.status_code in (302, 403)


@pytest.mark.parametrize("login", ["nobody", "alice%00", "a" * 200])
def test_the_account_of_an_unknown_user_is_not_found(cast: Cast, login: str) -> None:
    answer = signed_in("dave").get(f"/admin/users/user/{login}/account/")
    assert answer.status_code in (400, 404)


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        (FIREFOX, "Firefox on Linux"),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
            "Chrome/141.0.0.0 Safari/537.36 Edg/141.0.0.0",
            "Edge on Windows",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, "
            "like Gecko) Version/18.0 Mobile/15E148 Safari/604.1",
            "Safari on iPhone",
        ),
        ("curl/8.5", "curl/8.5"),
        ("", "Unknown browser"),
    ],
)
def test_a_browser_has_the_name_that_people_know(user_agent: str, name: str) -> None:
    assert browser_name(user_agent) == name


def test_failed_sign_ins_are_found_by_whether_they_block_now(cast: Cast) -> None:
    now = timezone.now()
    for login_id, until in (
        ("alice", now + timedelta(minutes=5)),
        ("bob", now - timedelta(minutes=5)),
        ("carol", None),
    ):
        SignInFailures.objects.create(
            login_id=login_id, origin="192.0.2.1", count=5, last_at=now, blocked_until=until
        )
    page = reverse("admin:users_signinfailures_changelist")
    browser = signed_in("dave")

    def found(chosen: dict[str, str]) -> set[str]:
        return {one.login_id for one in browser.get(page, chosen).context["cl"].result_list}

    assert found({}) == {"alice", "bob", "carol"}
    assert found({"blocked": "now"}) == {"alice"}
    assert found({"blocked": "not"}) == {"bob", "carol"}
