"""Pages on which reason codes are retired, brought back and replaced, one or several at once."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.html import format_html

from finesse.users.access_in_admin import signed_in
from media.reason_codes.life import Prospect, carry_out, prospects, replace, rules_about
from media.reason_codes.replacing import ReplacementForm
from media.reason_codes.undo_pages import tell_with_undo
from reasoncodes.changes import Change, Way
from reasoncodes.configuration import exclusive
from reasoncodes.models import ReasonCode


class LifePages(admin.ModelAdmin):
    """Each page asks first, and says what will happen."""

    def get_urls(self) -> list[Any]:
        guard = self.admin_site.admin_view
        pages = (
            ("<int:pk>/retire/", self.retire_page, "retire"),
            ("<int:pk>/bring-back/", self.bring_back_page, "bring_back"),
            ("<int:pk>/replace/", self.replace_page, "replace"),
        )
        return [
            *(
                path(to, guard(view), name=f"reasoncodes_reasoncode_{name}")
                for to, view, name in pages
            ),
            *super().get_urls(),
        ]

    def retire_page(self, request: HttpRequest, pk: int) -> HttpResponse:
        return self._ask_or_do(request, self._one(request, pk), retired=True)

    def bring_back_page(self, request: HttpRequest, pk: int) -> HttpResponse:
        return self._ask_or_do(request, self._one(request, pk), retired=False)

    @admin.action(description="Retire", permissions=["change"])
    def retire(self, request: HttpRequest, queryset: "QuerySet[ReasonCode]") -> HttpResponse:
        return self._ask_or_do(request, queryset, retired=True)

    @admin.action(description="Bring back", permissions=["change"])
    def bring_back(self, request: HttpRequest, queryset: "QuerySet[ReasonCode]") -> HttpResponse:
        return self._ask_or_do(request, queryset, retired=False)

    def replace_page(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Another code takes the teams and the meaning of this one, which is retired."""
        old = get_object_or_404(self._one(request, pk))
        if refused := self._not_to_be_replaced(request, old):
            return refused
        user = signed_in(request)
        form = ReplacementForm(request.POST or None, old=old, user=user)
        if request.method == "POST":
            with exclusive(user, Way.ADMIN) as change:
                # As it is now, under the lock.
                old = get_object_or_404(self._one(request, pk))
                if refused := self._not_to_be_replaced(request, old):
                    return refused
                form = ReplacementForm(request.POST, old=old, user=user)
                if form.is_valid() and (new := _replaced(old, form)):
                    text = f"“{new.label}” has taken the place of “{old.label}”, which is retired."
                    tell_with_undo(request, text, change)
                    return self._to_list()
        (prospect,) = prospects([old], user, retired=True)
        context = {
            "title": f"Replace “{old.label}” by another code",
            "form": form,
            "one": prospect,
            "rules": rules_about(old, user),
            "original": old,
        }
        return self._page_of_life(request, "replace.html", context)

    def _not_to_be_replaced(self, request: HttpRequest, old: ReasonCode) -> HttpResponse | None:
        """Where it is not possible, or not any more: a second click, or another supervisor."""
        if not self.has_change_permission(request, old):
            raise PermissionDenied
        if not old.retired:
            return None
        text = f"“{old.label}” is retired already: bring it back first, or make a new code."
        messages.warning(request, text)
        return self._to_list()

    def _ask_or_do(
        self, request: HttpRequest, codes: "QuerySet[ReasonCode]", *, retired: bool
    ) -> HttpResponse:
        if not self.has_change_permission(request):
            raise PermissionDenied
        user = signed_in(request)
        if request.method == "POST" and "confirmed" in request.POST:
            with exclusive(user, Way.ADMIN) as change:
                planned = prospects(codes.order_by("pk"), user, retired=retired)
                done = carry_out(planned, user, retired=retired)
            _tell(request, done, change, retired)
            return self._to_list()
        planned = prospects(codes, user, retired=retired)
        name = f"{len(planned)} reason codes"
        if len(planned) == 1:
            name = f"“{planned[0].reason_code.label}”"
        context = {
            "title": f"Retire {name}" if retired else f"Bring back {name}",
            "prospects": planned,
            "possible": [one for one in planned if not one.problem],
            "retired": retired,
            "action": request.POST.get("action", ""),
            "original": planned[0].reason_code if len(planned) == 1 else None,
        }
        return self._page_of_life(request, "life.html", context)

    def _one(self, request: HttpRequest, pk: int) -> "QuerySet[ReasonCode]":
        codes: QuerySet[ReasonCode] = self.get_queryset(request).filter(pk=pk)
        get_object_or_404(codes)
        return codes

    def _page_of_life(
        self, request: HttpRequest, template: str, context: dict[str, Any]
    ) -> HttpResponse:
        whole = {**self.admin_site.each_context(request), "opts": self.opts, **context}
        return TemplateResponse(request, f"admin/reasoncodes/{template}", whole)

    def _to_list(self) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:reasoncodes_reasoncode_changelist"))


def _replaced(old: ReasonCode, form: ReplacementForm) -> ReasonCode | None:
    try:
        with transaction.atomic():
            return replace(old, form.cleaned_data["code"], form.cleaned_data["label"], form.user)
    except ValidationError as error:
        form.add_error(None, error.messages)
        return None


def _tell(request: HttpRequest, results: list[Prospect], change: Change, retired: bool) -> None:
    done = [one for one in results if not one.problem]
    if done:
        names = ", ".join(f"“{one.reason_code.label}”" for one in done)
        verb = "Retired" if retired else "Offered again"
        people = ", ".join(one.people for one in done if one.people)
        stay = f" Still in it until their next change: {people}." if retired and people else ""
        tell_with_undo(request, f"{verb}: {names}.{stay}", change)
    for one in results:
        if one.problem:
            text = format_html("“{}” stays as it is: {}", one.reason_code.label, one.problem)
            messages.warning(request, text)
