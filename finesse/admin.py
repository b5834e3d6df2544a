"""What the admins of several apps share."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.formats import date_format
from django.utils.timezone import localtime


def moment(field: str, head: str, empty: str = "–") -> Callable[[Any, Any], str]:
    """A method for an admin that shows a time to the second: a minute is long here."""

    @admin.display(description=head, ordering=field)
    def shown(model_admin: Any, instance: Any) -> str:
        at = getattr(instance, field)
        return date_format(localtime(at), "j\xa0M\xa0Y, H:i:s") if at else empty

    return shown


class DeletedOneByOneAdmin(admin.ModelAdmin):
    """Without the action that deletes many rows at once."""

    def get_actions(self, request: HttpRequest, action_location: Any = None) -> dict[str, Any]:
        # Since Django 6.1 there is a second place for actions, and a parameter that names it.
        location = {} if action_location is None else {"action_location": action_location}
        actions = super().get_actions(request, **location)
        actions.pop("delete_selected", None)
        return actions


class ReadOnlyAdmin(admin.ModelAdmin):
    """For what is history: it can be read, not edited."""

    show_full_result_count = False
    # Without the link to a history of edits: there are none.
    change_form_template = "admin/read_only.html"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
