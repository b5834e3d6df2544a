"""The log and the transports' cursors in the admin, to read."""

from xml.etree.ElementTree import fromstring, indent, tostring

from django.contrib import admin
from django.utils.html import format_html
from django.utils.safestring import SafeString

from finesse.admin import ReadOnlyAdmin, moment
from finesse.notifications import log
from finesse.notifications.models import Notification, TransportCursor


@admin.register(Notification)
class NotificationAdmin(ReadOnlyAdmin):
    list_display = ("position", "published_at", "event", "source", "request_id")
    list_filter = ("event", "at")
    search_fields = ("=node", "=request_id", "source__startswith")
    search_help_text = "The start of a source, a whole node, or a whole requestId"
    ordering = ("-position",)
    fields = ("position", "published_at", "event", "node", "source", "request_id", "document")

    published_at = moment("at", "at")

    @admin.display(description="Update")
    def document(self, notification: Notification) -> SafeString:
        # Rendered by this service itself, so the parser needs no defences.
        update = fromstring(notification.update)
        indent(update)
        return format_html("<pre>{}</pre>", tostring(update, encoding="unicode"))


@admin.register(TransportCursor)
class TransportCursorAdmin(ReadOnlyAdmin):
    list_display = fields = ("name", "position", "behind")

    @admin.display(description="notifications to hand over")
    def behind(self, cursor: TransportCursor) -> int:
        return max(0, log.head().position - cursor.position)
