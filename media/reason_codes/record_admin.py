"""Who changed which reason code: the history of all that one may see, deleted ones included."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import BadRequest, PermissionDenied
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import path, reverse

from finesse.admin import ReadOnlyAdmin
from finesse.api.xml import identifier
from finesse.users.access import visible_users
from finesse.users.access_in_admin import signed_in
from finesse.users.models import User
from media.reason_codes.record_files import FORMATS
from reasoncodes.access import of_visible_versions, versions_visible_to
from reasoncodes.history import Version
from reasoncodes.record import Reader

SHOWN = "reasoncodes.view_reasoncode"
LOOKUPS = frozenset(
    {
        "category__exact",
        "change__exact",
        "history_date__gte",
        "history_date__lt",
        "id__exact",
        "way__exact",
    }
)
"""No others: they would answer questions about teams and people that are not shown."""
MOST_WORDS = 10


class TimeFilter(admin.DateFieldListFilter):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.title = "time"


@admin.register(Version)
class RecordAdmin(ReadOnlyAdmin):
    list_display = ("history_date",)
    list_display_links = None
    list_filter = (("history_date", TimeFilter), "way", "category")
    list_per_page = 50
    list_max_show_all = 0
    ordering = ("-history_id",)
    sortable_by = ()
    search_fields = ("label",)
    search_help_text = "A part of the label or of a person’s name, or the code"

    def get_urls(self) -> list[Any]:
        name = "reasoncodes_historicalreasoncode_export"
        view = self.admin_site.admin_view(self.export_view)
        return [path("export.<str:kind>", view, name=name), *super().get_urls()]

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return signed_in(request).has_perm(SHOWN)

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Any]":
        return versions_visible_to(signed_in(request)).order_by("-history_id")

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        return lookup in LOOKUPS

    def get_search_results(
        self, request: HttpRequest, queryset: "QuerySet[Any]", search_term: str
    ) -> tuple["QuerySet[Any]", bool]:
        for word in search_term.split()[:MOST_WORDS]:
            queryset = queryset.filter(_found_by(word, signed_in(request)))
        return queryset, False

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        page = super().changelist_view(request, {"title": "Who changed what"})
        if isinstance(page, TemplateResponse) and page.context_data and "cl" in page.context_data:
            versions = page.context_data["cl"].result_list
            page.context_data["entries"] = Reader(signed_in(request)).entries(versions)
        return page

    def export_view(self, request: HttpRequest, kind: str) -> FileResponse:
        """What the list finds, all of it."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        if kind not in FORMATS:
            raise Http404
        try:
            versions = self.get_changelist_instance(request).queryset
        except IncorrectLookupParameters as error:
            raise BadRequest("No such filter") from error
        return FORMATS[kind](Reader(signed_in(request)), versions)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Leads to the history of its reason code: a form of the version would show all teams."""
        return self.history_view(request, object_id)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if request.method not in {"GET", "HEAD"} or not self.has_view_permission(request):
            raise PermissionDenied
        version = get_object_or_404(self.get_queryset(request), pk=identifier(object_id))
        history = reverse("admin:reasoncodes_reasoncode_history", args=(version.id,))
        return HttpResponseRedirect(f"{history}#change-{version.pk}")


def _found_by(word: str, user: User) -> Q:
    """By what the reader may see alone: of a version that is not shown, no search finds the label.

    The label before is looked at, too: so a code is found by the label that a change took from it.
    """
    named = Q(label__icontains=word)
    if word.isdecimal() and word.isascii() and len(word) < 6:
        named |= Q(code=int(word))
    named &= of_visible_versions(user)
    people = visible_users(user).filter(
        Q(login_id__icontains=word) | Q(first_name__icontains=word) | Q(last_name__icontains=word)
    )
    by_whom = Q(history_user_id__in=people.values("pk"))
    if user.is_superuser:
        # Users who are deleted have no other name.
        by_whom |= Q(history_user_id__icontains=word)
    before = Version.objects.filter(named, history_id=OuterRef("before"))
    return named | by_whom | Q(Exists(before))
