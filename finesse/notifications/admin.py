"""The event log in the admin, to look at."""

from typing import Any
from xml.etree.ElementTree import fromstring, indent, tostring

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from finesse.notifications.models import Notification, TransportCursor


class ReadOnlyAdmin(admin.ModelAdmin):
    """For what is history: it can be read, not edited."""

    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Notification)
class NotificationAdmin(ReadOnlyAdmin):
    list_display = ("position", "at", "event", "source", "request_id")
    list_filter = ("event", "at")
    search_fields = ("=node", "=request_id", "source__startswith")
    ordering = ("-position",)
    fields = ("position", "at", "event", "node", "source", "request_id", "document")

    @admin.display(description="Update")
    def document(self, notification: Notification) -> SafeString:
        # Our own rendering, so the plain parser may read it.
        update = fromstring(notification.update)
        indent(update)
        return format_html("<pre>{}</pre>", tostring(update, encoding="unicode"))


@admin.register(TransportCursor)
class TransportCursorAdmin(ReadOnlyAdmin):
    list_display = ("name", "position")
