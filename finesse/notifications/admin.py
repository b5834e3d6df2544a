"""The event log in the admin, to look at."""

from collections.abc import Callable
from typing import Any
from xml.etree.ElementTree import fromstring, indent, tostring

from django.contrib import admin
from django.http import HttpRequest
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timezone import localtime

from finesse.notifications import log
from finesse.notifications.models import Notification, TransportCursor


def moment(field: str, head: str, empty: str = "–") -> Callable[[Any, Any], str]:
    """A method for an admin that shows a time to the second: a minute is long here."""

    @admin.display(description=head, ordering=field)
    def shown(model_admin: Any, instance: Any) -> str:
        at = getattr(instance, field)
        return date_format(localtime(at), "j\xa0M\xa0Y, H:i:s") if at else empty

    return shown


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


@admin.register(Notification)
class NotificationAdmin(ReadOnlyAdmin):
    list_display = ("position", "told_at", "event", "source", "request_id")
    list_filter = ("event", "at")
    search_fields = ("=node", "=request_id", "source__startswith")
    search_help_text = "The start of a source, a whole node, or a whole requestId"
    ordering = ("-position",)
    fields = ("position", "told_at", "event", "node", "source", "request_id", "document")

    told_at = moment("at", "at")

    @admin.display(description="Update")
    def document(self, notification: Notification) -> SafeString:
        # Our own rendering, so the plain parser may read it.
        update = fromstring(notification.update)
        indent(update)
        return format_html('<pre style="margin: 0">{}</pre>', tostring(update, encoding="unicode"))


@admin.register(TransportCursor)
class TransportCursorAdmin(ReadOnlyAdmin):
    list_display = fields = ("name", "position", "behind")

    @admin.display(description="notifications to hand over")
    def behind(self, cursor: TransportCursor) -> int:
        return max(0, log.head().position - cursor.position)
