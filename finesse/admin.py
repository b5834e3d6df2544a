"""What the admins of several apps share."""

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import ValidationError
from django.db import models
from django.http import HttpRequest
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timezone import localtime


def moment(field: str, head: str, empty: str = "–") -> Callable[[Any, Any], str]:
    """A method for an admin that shows a time to the second: a minute is long here.

    With its offset, unless the zone is UTC: when clocks are set back an hour comes twice.
    """

    @admin.display(description=head, ordering=field)
    def shown(model_admin: Any, instance: Any) -> str:
        at = getattr(instance, field)
        return to_the_second(localtime(at)) if at else empty

    return shown


class DeletedOneByOneAdmin(admin.ModelAdmin):
    """Without the action that deletes many rows at once."""

    def get_actions(self, request: HttpRequest, action_location: Any = None) -> dict[str, Any]:
        # Since Django 6.1 there is a second place for actions, and a parameter that names it.
        location = {} if action_location is None else {"action_location": action_location}
        actions = super().get_actions(request, **location)
        actions.pop("delete_selected", None)
        return actions


class NamedBoxesAdmin(admin.ModelAdmin):
    """A list with check boxes for actions, each named after its row for those who hear the page."""

    def action_checkbox(self, obj: models.Model) -> SafeString:
        # Django's own is a form field, with a template rendered for each row (decision 200).
        return format_html(
            '<input type="checkbox" name="{}" value="{}" class="action-select"'
            ' aria-label="Choose {}">',
            ACTION_CHECKBOX_NAME,
            obj.pk,
            obj,
        )


def to_the_second(at: datetime) -> str:
    """This local time as pages show it."""
    # Django's own format for it is empty for just those times that come twice.
    offset = "" if str(at.tzinfo) == "UTC" else f"\xa0{at:%z}"
    return date_format(at, "j\xa0M\xa0Y, H:i:s") + offset


class PlainNumberField(forms.IntegerField):
    """A number in plain decimals, as in the API: Python would also read 1_0_0, and 007."""

    def to_python(self, value: Any) -> int | None:
        text = str(value or "").strip()
        if text and not re.fullmatch(r"-?(0|[1-9][0-9]{0,18})", text, re.ASCII):
            raise ValidationError(self.error_messages["invalid"], code="invalid")
        number: int | None = super().to_python(value)
        return number


class PlainFormsAdmin(admin.ModelAdmin):
    """For objects that are edited: each limit is written beside its field, and in its errors."""

    formfield_overrides: ClassVar[Any] = {
        # None of these models has a number 0: no error may say that 0 is allowed.
        models.PositiveIntegerField: {"form_class": PlainNumberField, "min_value": 1},
    }

    def formfield_for_dbfield(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if isinstance(field, forms.CharField) and field.max_length and db_field.name != "password":
            # A browser cuts what is pasted at this attribute, without a word.
            field.widget.attrs.pop("maxlength", None)
            field.help_text = f"{field.help_text} Up to {field.max_length} characters.".strip()
        return field


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
