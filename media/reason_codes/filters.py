"""The filters of the list of reason codes, in words."""

from typing import Any

from django.contrib.admin import SimpleListFilter
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest

from finesse.users.access_in_admin import signed_in
from media.models import Desktop, Media, MediaRequest, StateInterval
from reasoncodes.models import ReasonCode

NAMING = (StateInterval, MediaRequest, Media, Desktop)
"""What names a reason code that was used. EXISTS looks into their indexes, or small tables."""


class OfferedFilter(SimpleListFilter):
    title = "who gets them"
    parameter_name = "offered"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        user = signed_in(request)
        mine = [("mine", "My teams")] if user.supervises().exists() else []
        nobody = [("nobody", "Nobody yet")] if user.is_superuser else []
        return [*mine, ("global", "Global: everybody"), *nobody, ("system", "The system’s own")]

    def queryset(self, request: HttpRequest, queryset: "QuerySet[Any]") -> "QuerySet[Any]":
        through = ReasonCode.teams.through.objects.filter(reasoncode=OuterRef("pk"))
        own = Exists(through.filter(team__in=signed_in(request).supervises()))
        chosen = {
            "mine": Q(own, for_all=False),
            "global": Q(for_all=True, system_code=False),
            "nobody": Q(~Exists(through), for_all=False, system_code=False),
            "system": Q(system_code=True),
        }
        return queryset.filter(chosen.get(self.value() or "", Q()))


class StageFilter(SimpleListFilter):
    title = "stage"
    parameter_name = "stage"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("offered", "Offered"), ("retired", "Retired"), ("unused", "Never used")]

    def queryset(self, request: HttpRequest, queryset: "QuerySet[Any]") -> "QuerySet[Any]":
        if self.value() == "unused":
            for model in NAMING:
                named: Any = model.objects.filter(reason_code=OuterRef("pk"))
                queryset = queryset.filter(~Exists(named.order_by()))
            return queryset.filter(system_code=False)
        chosen = {"offered": Q(retired=False, system_code=False), "retired": Q(retired=True)}
        return queryset.filter(chosen.get(self.value() or "", Q()))
