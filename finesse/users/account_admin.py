"""A user's account in the administration: sign-in links, blocks, where the user is signed in."""

import csv
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import quote
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timezone import localtime

from finesse.admin import NamedBoxesAdmin
from finesse.users import sign_ins
from finesse.users.access import runs_accounts
from finesse.users.access_in_admin import signed_in
from finesse.users.lockout import lift, note_failures
from finesse.users.models import SignInFailures, User
from finesse.users.sign_in_links import link_of, valid_until

LINK_COLUMNS = ("login ID", "first name", "last name", "sign-in link", "valid until", "note")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""A cell that begins so is a formula for a spreadsheet."""


def standing(user: User) -> str:
    """Whether and how the user can sign in, in a plain sentence."""
    if not user.is_active:
        return "Not active: nobody can sign in as this user."
    if not user.has_usable_password():
        return "No password yet: give the user a sign-in link."
    if user.must_change_password:
        return (
            "Has to choose a new password on the sign-in page first. Until then clients are "
            "refused, as with a wrong password."
        )
    return "Signs in with a password."


def blocks_of(user: User) -> list[str]:
    """Where the user's sign-in is blocked, and until when, in a plain sentence each."""
    now = timezone.now()
    blocked = SignInFailures.objects.filter(login_id=user.pk, blocked_until__gt=now)
    return [
        f"Blocked at {one.origin or 'this machine'} until "
        f"{date_format(localtime(one.blocked_until), 'H:i:s')}, after {one.count} wrong passwords: "
        "there the right password is refused, too."
        for one in blocked
    ]


class AccountPages(NamedBoxesAdmin):
    """What the administration of users has for their accounts: a page each, and links for many."""

    actions = ("sign_in_links",)

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.account_view)
        return [path("<id>/account/", view, name="users_user_account"), *super().get_urls()]

    @admin.display(description="sign-in")
    def sign_in(self, user: User) -> SafeString:
        return format_html(
            '{}<br><a href="{}">Set a password</a> · '
            '<a href="{}">Sign-in links, blocks, where the user is signed in</a>',
            " ".join([standing(user), *blocks_of(user)]),
            reverse("admin:auth_user_password_change", args=[quote(user.pk)]),
            reverse("admin:users_user_account", args=[user.pk]),
        )

    def account_view(self, request: HttpRequest, id: str) -> HttpResponse:
        if not runs_accounts(signed_in(request)):
            raise PermissionDenied
        # Not by the list's own query, which counts and joins.
        user = User.objects.filter(pk=id).first()
        if user is None:
            raise Http404
        context: dict[str, Any] = {}
        if request.method == "POST":
            context = self._act(request, user)
        context |= {
            **self.admin_site.each_context(request),
            "title": f"Account of {user}",
            "opts": self.opts,
            "original": user,
            "standing": standing(user),
            "blocks": blocks_of(user),
            "sign_ins": sign_ins.in_browsers(user, request.session.session_key),
            "has_client": sign_ins.has_client(user),
            "is_own": user.pk == signed_in(request).pk,
        }
        return TemplateResponse(request, "admin/users/user/account.html", context)

    def _act(self, request: HttpRequest, user: User) -> dict[str, Any]:
        """Do what a button of the page says; what the page shows besides."""
        act = request.POST.get("do")
        if act == "link" and user.is_active:
            self.log_change(request, user, "Gave out a sign-in link.")
            return {"link": link_of(user, request), "valid_until": valid_until()}
        if act == "lift":
            lift(SignInFailures.objects.filter(login_id=user.pk))
            # The failures may have been pruned, and are remembered of the user, too.
            note_failures(user.pk, failed=False)
            user.refresh_from_db(fields=["sign_in_failed"])
            self.log_change(request, user, "Lifted the block of the sign-in.")
            messages.success(request, "Lifted. The right password is accepted again.")
        if act == "end":
            self._end(request, user)
        if act == "end-one":
            self._end_one(request, user)
        return {}

    def _end_one(self, request: HttpRequest, user: User) -> None:
        this = request.session.session_key
        with transaction.atomic():
            ended = sign_ins.end_one(user, request.POST.get("session", ""), this)
            if ended:
                self.log_change(request, user, f"Ended the session of {ended.browser}.")
        messages.success(request, sign_ins.told_of(ended))

    def _end(self, request: HttpRequest, user: User) -> None:
        with transaction.atomic():
            if user.pk == signed_in(request).pk:
                sign_ins.end_others(request, user)
            else:
                sign_ins.end_all(user)
            self.log_change(request, user, "Ended all sign-ins.")
        messages.success(
            request, "Ended. Sockets and XMPP connections close within two seconds, too."
        )

    def has_links_permission(self, request: HttpRequest) -> bool:
        return runs_accounts(signed_in(request))

    @admin.action(description="Sign-in links, as a CSV file", permissions=["links"])
    def sign_in_links(self, request: HttpRequest, queryset: "QuerySet[User]") -> HttpResponse:
        answer = HttpResponse(content_type="text/csv; charset=utf-8")
        answer.headers["Content-Disposition"] = 'attachment; filename="sign-in-links.csv"'
        answer.headers["Cache-Control"] = "no-store"
        # By this mark spreadsheets know that it is UTF-8.
        answer.write("\ufeff")
        rows = csv.writer(answer)
        rows.writerow(LINK_COLUMNS)
        until = date_format(localtime(valid_until()), "Y-m-d H:i e")
        for user in queryset:
            name = (as_text(user.first_name), as_text(user.last_name))
            if user.is_active:
                self.log_change(request, user, "Gave out a sign-in link.")
                rows.writerow((as_text(user.pk), *name, link_of(user, request), until, ""))
            else:
                rows.writerow((as_text(user.pk), *name, "", "", "Not active: no link."))
        return answer


def as_text(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
