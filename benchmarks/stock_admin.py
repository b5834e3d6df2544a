"""The paths of the service, and beside them the stock administration's list of reason codes.

It is what Django makes of the model by itself: as many rows a page, the fields of the code alone,
and no use, which it does not know. The frame of the page is ours, as on every page.
"""

from django.contrib import admin
from django.urls import path

from finesse.urls import handler500
from finesse.urls import urlpatterns as of_the_service
from media.reason_codes.admin import ReasonCodeAdmin
from reasoncodes.models import ReasonCode

__all__ = ["handler500", "urlpatterns"]

stock = admin.AdminSite(name="stock")


class StockCode(ReasonCode):
    """Under another name Django does not find the templates of our list."""

    class Meta:
        proxy = True
        app_label = "reasoncodes"


@admin.register(StockCode, site=stock)
class StockAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("label", "category", "code", "for_all", "retired")
    list_filter = ("category", "retired", "for_all")
    search_fields = ("label", "=code")
    list_per_page = ReasonCodeAdmin.list_per_page


urlpatterns = [path("stock/", stock.urls), *of_the_service]
