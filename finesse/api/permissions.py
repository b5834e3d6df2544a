"""Who may ask for what."""

from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from finesse.api.errors import OTHER_USER


class OwnObjectsOnly(BasePermission):
    """Users can only act on their own Media objects [seed]: no supervisor, no administrator.

    Asked before the user of the path is looked up, so that nobody learns which users exist.
    """

    def has_permission(self, request: Request, view: APIView) -> bool:
        if view.kwargs["user_id"] != request.user.pk:
            raise OTHER_USER(user=str(request.user.pk))
        return True
