"""The list of reason codes: what a supervisor asks about them, one row each."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import Exists, OuterRef, Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from finesse.admin import NamedBoxesAdmin
from finesse.users.access import supervised_teams
from finesse.users.access_in_admin import OwnTeamsFilter, signed_in
from media.reason_codes.filters import OfferedFilter, StageFilter
from media.reason_codes.use import Use, use_of
from reasoncodes.access import changeable_by, others_assignments, visible_to
from reasoncodes.models import ReasonCode

AS_PEOPLE_READ = ("system_code", "-category", "retired", "code")
"""Not ready, Sign out, the system's own; in each what is offered first."""
OF_SYSTEM = "The system’s own"


class ListOfCodes(ChangeList):
    """With the use of the codes of one page, whatever their number in the same statements."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        codes: Any = list(self.result_list)
        used = use_of([code.pk for code in codes])
        for code in codes:
            code.use = used.get(code.pk, Use())
            code.group = OF_SYSTEM if code.system_code else code.get_category_display()
        self.result_list = codes
        self.is_grouped = "o" not in self.params


class ListingOfCodes(NamedBoxesAdmin):
    """The list, and which codes it has for whom."""

    list_display = (
        "label",
        "number",
        "kind",
        "offered_to",
        "in_use_now",
        "used_lately",
        "most_time",
        "stage",
        "steps",
    )
    list_filter = (OfferedFilter, StageFilter, "category", ("teams", OwnTeamsFilter))
    list_per_page = 200
    ordering = AS_PEOPLE_READ
    search_fields = ("label", "=code")
    search_help_text = "A part of the label, or the code"
    actions = ("retire", "bring_back")
    show_facets = admin.ShowFacets.NEVER

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return ListOfCodes

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return super().changelist_view(request, {"title": "Reason codes", **(extra_context or {})})

    def get_queryset(self, request: HttpRequest) -> "QuerySet[ReasonCode]":
        user = signed_in(request)
        codes: QuerySet[ReasonCode] = super().get_queryset(request)
        shown = Prefetch("teams", supervised_teams(user), to_attr="shown_teams")
        return (
            codes.filter(pk__in=visible_to(user))
            .prefetch_related(shown)
            .annotate(
                of_others=Exists(others_assignments(user)),
                is_changeable=Exists(changeable_by(user).filter(pk=OuterRef("pk"))),
            )
        )

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        # Other lookups than the filter's would reveal teams that are not the user's.
        if lookup.startswith("teams") and lookup not in OwnTeamsFilter.parameters("teams"):
            return signed_in(request).is_superuser
        return super().lookup_allowed(lookup, value, request)

    @admin.display(description="code", ordering="code")
    def number(self, code: Any) -> int:
        number: int = code.code
        return number

    @admin.display(description="category", ordering="-category")
    def kind(self, code: Any) -> str:
        return str(code.get_category_display())

    @admin.display(description="offered to")
    def offered_to(self, code: Any) -> str:
        if code.system_code:
            return "nobody"
        names = [team.name for team in code.shown_teams]
        if code.of_others:
            names.append("other teams")
        whom = "everybody" if code.for_all else ", ".join(names)
        if code.retired:
            return f"nobody (was {whom})" if whom else "nobody"
        return whom or "nobody yet"

    @admin.display(description="in it now")
    def in_use_now(self, code: Any) -> str:
        return _counted(code.use.now, "agent") if code.use.now else "–"

    @admin.display(description="last 30 days")
    def used_lately(self, code: Any) -> str:
        if not code.use.uses:
            return "–"
        return f"{_counted(code.use.uses, 'time')}, {_counted(code.use.agents, 'agent')}"

    @admin.display(description="maximum time", ordering="maximum_minutes")
    def most_time(self, code: Any) -> str:
        return f"{code.maximum_minutes} min" if code.maximum_minutes else "–"

    @admin.display(description="stage", ordering="retired")
    def stage(self, code: Any) -> SafeString:
        words = [("retired", "Retired")] if code.retired else []
        if not code.is_changeable:
            words.append(("read-only", "Read only"))
        marks = format_html_join(" ", '<span class="mark {}">{}</span>', words)
        return marks or format_html("{}", "Offered")

    @admin.display(description="more")
    def steps(self, code: Any) -> SafeString:
        """Where the row leads to beside its form."""
        found = [("history", "History")]
        if code.is_changeable:
            found.append(("bring-back", "Bring back") if code.retired else ("retire", "Retire"))
        # As seen from the list. To find the address of each would take a tenth of the page's time.
        links = ((code.pk, page, text, code.label) for page, text in found)
        return format_html_join(
            " ", '<a href="{}/{}/">{}<span class="visually-hidden"> of {}</span></a>', links
        )


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}" + ("" if number == 1 else "s")
