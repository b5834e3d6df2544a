"""THE RULE OF ACCESS in the pages of the administration."""

from typing import Any, cast

from django.contrib import admin
from django.db.models import QuerySet
from django.db.models.constants import LOOKUP_SEP
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from finesse.users.access import supervised_teams, visible_users
from finesse.users.models import User

STRANGER = User(login_id="another user")
"""Stands in a history for a user whom the reader may not see."""


def signed_in(request: HttpRequest) -> User:
    """The user of a page of the administration: there is always one."""
    return cast(User, request.user)


class OwnTeamsFilter(admin.RelatedFieldListFilter):
    """Offers the teams that the user supervises, and finds nothing by those of others."""

    @staticmethod
    def parameters(field: str) -> tuple[str, str]:
        return (LOOKUP_SEP.join((field, "id", "exact")), LOOKUP_SEP.join((field, "isnull")))

    def field_choices(self, field: Any, request: HttpRequest, model_admin: Any) -> Any:
        self.is_for_all = signed_in(request).is_superuser
        teams = supervised_teams(signed_in(request)).order_by("name")
        return [(team.pk, team.name) for team in teams]

    @property
    def include_empty_choice(self) -> bool:
        return self.is_for_all

    def has_output(self) -> bool:
        # Django does not apply a filter without output.
        return True

    def queryset(self, request: HttpRequest, queryset: "QuerySet[Any]") -> "QuerySet[Any] | None":
        offered = {str(pk) for pk, _ in self.lookup_choices}
        wants_others = not offered.issuperset(self.lookup_val or ())
        if wants_others or (self.lookup_val_isnull and not self.include_empty_choice):
            return queryset.none()
        return super().queryset(request, queryset)


def hide_strangers(reader: User, history: HttpResponse) -> HttpResponse:
    """The page of an object's history without the names of users whom its reader may not see."""
    if isinstance(history, TemplateResponse):
        actions = (history.context_data or {})["action_list"]
        visible = set(visible_users(reader).values_list("pk", flat=True))
        for action in actions:
            if action.user_id not in visible:
                action.user = STRANGER
    return history


class SignedInFormAdmin(admin.ModelAdmin):
    """Its form class has the signed-in user as `user`: what may be chosen depends on that."""

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        form = super().get_form(request, obj, change, **kwargs)
        form.user = signed_in(request)  # type: ignore[attr-defined]
        return form
