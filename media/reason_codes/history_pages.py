"""The history of one reason code, and the way back to what it was."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse

from finesse.api.xml import identifier
from finesse.users.access_in_admin import signed_in
from finesse.users.models import User
from media.reason_codes.use import use_of
from reasoncodes.access import changeable_by, versions_visible_to
from reasoncodes.going_back import Outcome, go_back
from reasoncodes.history import latest_version
from reasoncodes.models import ReasonCode
from reasoncodes.record import Entry, Reader

PER_PAGE = 50


class HistoryPages(admin.ModelAdmin):
    """They show deleted codes, too, to those who could see them."""

    def get_urls(self) -> list[Any]:
        page = self.admin_site.admin_view(self.go_back_page)
        name = "reasoncodes_reasoncode_go_back"
        return [path("<int:pk>/history/<int:history_id>/", page, name=name), *super().get_urls()]

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        user = signed_in(request)
        pk = identifier(object_id)
        versions = versions_visible_to(user).filter(id=pk).order_by("-history_id")
        code = self.get_queryset(request).filter(pk=pk).first()
        if code is None and not versions.exists():
            raise Http404
        page = Paginator(versions, PER_PAGE).get_page(request.GET.get("p"))
        entries = Reader(user).entries(page.object_list)
        latest = latest_version(pk) if entries else None
        context = {
            "title": f"History of {_name(code, entries)}",
            "entries": entries,
            "page": page,
            "object": code,
            "pk": pk,
            "latest": latest,
            "may_go_back": self._may_go_back(request, pk),
        }
        return self._page_of(request, "history.html", context | (extra_context or {}))

    def go_back_page(self, request: HttpRequest, pk: int, history_id: int) -> HttpResponse:
        """Asks first where agents lose a code that they have, and where a link led here."""
        user = signed_in(request)
        version = versions_visible_to(user).filter(id=pk, history_id=history_id).first()
        if version is None or not Reader(user).sees(version):
            raise Http404
        if not self._may_go_back(request, pk):
            raise PermissionDenied
        latest = latest_version(pk)
        asked = "confirmed" in request.POST or not _takes_away(latest, version)
        if request.method != "POST" or not asked:
            return self._ask(request, user, latest, version)
        result = go_back(version, user)
        if result.refused:
            messages.error(request, str(result))
        else:
            # The tag is the change that the message's button can undo.
            changed = result.outcome is not Outcome.UNCHANGED
            messages.success(request, str(result), str(result.change) if changed else "")
        return HttpResponseRedirect(reverse("admin:reasoncodes_reasoncode_history", args=(pk,)))

    def _ask(self, request: HttpRequest, user: User, latest: Any, version: Any) -> HttpResponse:
        is_deleted = latest.history_type == "-"
        old = None if is_deleted else latest
        (entry,) = Reader(user).entries([version])
        context = {
            "title": f"Go back to what {_name(None, [entry])} was",
            "entry": entry,
            "differences": Reader(user).differences(old, version),
            "is_deleted": is_deleted,
            "takes_away": _takes_away(latest, version),
            "in_it_now": use_of([version.id])[version.id].now,
            "pk": version.id,
            "object": self.get_queryset(request).filter(pk=version.id).first(),
        }
        return self._page_of(request, "go_back.html", context)

    def _may_go_back(self, request: HttpRequest, pk: int) -> bool:
        """Whether it is worth asking: the last word has `go_back`."""
        if not self.has_change_permission(request):
            return False
        exists = ReasonCode.objects.filter(pk=pk).exists()
        return not exists or changeable_by(signed_in(request)).filter(pk=pk).exists()

    def _page_of(self, request: HttpRequest, name: str, context: dict[str, Any]) -> HttpResponse:
        common = {**self.admin_site.each_context(request), "opts": self.opts}
        return TemplateResponse(
            request, f"admin/reasoncodes/reasoncode/{name}", {**common, **context}
        )


def _name(code: ReasonCode | None, entries: list[Entry]) -> str:
    return f"“{code.label}”" if code else f"“{entries[0].label}”"


def _takes_away(old: Any, new: Any) -> bool:
    """Whether agents who can choose the code now could no longer do so."""
    if old.history_type == "-" or old.retired:
        return False
    if new.retired:
        return True
    if new.for_all or old.for_all:
        return bool(old.for_all and not new.for_all)
    return bool(old.team_names.keys() - new.team_names.keys())
