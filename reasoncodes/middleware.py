"""What the administration changes is a change by its user, also where it is about something else.

A team that is deleted leaves its reason codes, and users and teams are of rooms that know none.
"""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from reasoncodes.changes import Way, change


class ChangeOfTheAdministration:
    """Whatever a form of the administration saves is one change, unless it names its own."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        inside = request.path_info.startswith(reverse("admin:index"))
        if request.method != "POST" or not inside or not request.user.is_authenticated:
            return self.get_response(request)
        with change(request.user.pk, Way.ADMIN):
            return self.get_response(request)
