"""The button that takes a change back."""

import uuid
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import path, reverse

from finesse.users.access_in_admin import signed_in
from reasoncodes.changes import Change
from reasoncodes.going_back import Outcome, Result, undo
from reasoncodes.history import Version


def tell_with_undo(request: HttpRequest, text: str, change: Change) -> None:
    """A message whose button takes the change back (`templates/admin/base_site.html`)."""
    messages.success(request, text, extra_tags=str(change.id))


class UndoPages(admin.ModelAdmin):
    def get_urls(self) -> list[Any]:
        guard = self.admin_site.admin_view
        return [
            path("undo/<uuid:change>/", guard(self.undo_page), name="reasoncodes_reasoncode_undo"),
            *super().get_urls(),
        ]

    def undo_page(self, request: HttpRequest, change: uuid.UUID) -> HttpResponse:
        """Takes back what a change did to each code, as far as it can be; each has its result."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not self.has_change_permission(request):
            raise PermissionDenied
        results = undo(change, signed_in(request))
        for result in results:
            _tell_result(request, result)
        if not results:
            messages.warning(request, "There is nothing to undo.")
        return HttpResponseRedirect(reverse("admin:reasoncodes_reasoncode_changelist"))


def _tell_result(request: HttpRequest, result: Result) -> None:
    if result.refused:
        messages.warning(request, str(result))
    elif result.outcome is Outcome.UNCHANGED:
        messages.info(request, str(result))
    else:
        made = Version.objects.filter(id=result.pk).latest("history_id")
        # The undoing can be undone, too.
        messages.success(request, str(result), extra_tags=str(made.change))
