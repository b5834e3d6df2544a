"""The paths of the service, and beside them the stock administration's list of reason codes.

It is what Django makes of the model by itself: as many rows a page, the fields of the code alone,
and no use, which it does not know.
"""

from django.contrib import admin
from django.urls import path

from finesse.urls import handler500
from finesse.urls import urlpatterns as of_the_service
from media.reason_codes.admin import ReasonCodeAdmin
from reasoncodes.models import ReasonCode

__all__ = ["handler500", "urlpatterns"]

stock = admin.AdminSite(name="stock")


@admin.register(ReasonCode, site=stock)
class StockAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("label", "category", "code", "for_all", "retired")
    list_filter = ("category", "retired", "for_all")
    search_fields = ("label", "=code")
    list_per_page = ReasonCodeAdmin.list_per_page


urlpatterns = [path("stock/", stock.urls), *of_the_service]
