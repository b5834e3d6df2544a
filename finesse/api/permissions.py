"""Who may ask for what."""

from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from finesse.api.errors import AUTHORIZATION_FAILURE, OTHER_USER


class OwnObjectsOnly(BasePermission):
    """Users can only act on their own Media objects [seed]: no supervisor, no administrator.

    Asked before the user of the path is looked up, so that nobody learns which users exist.
    """

    def has_permission(self, request: Request, view: APIView) -> bool:
        if view.kwargs["user_id"] != request.user.pk:
            raise OTHER_USER(user=str(request.user.pk))
        return True


class OwnObjectsOrAdministrator(BasePermission):
    """One's own objects, and everybody's for administrators [User—Get Reason Code List].

    Asked before the user of the path is looked up, so that nobody learns which users exist.
    """

    def has_permission(self, request: Request, view: APIView) -> bool:
        if view.kwargs["user_id"] != request.user.pk and not request.user.is_superuser:
            raise OTHER_USER(user=str(request.user.pk))
        return True


class AdministratorsOnly(BasePermission):
    """The configuration is for administrators [Client Requests]."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        if not request.user.is_superuser:
            raise AUTHORIZATION_FAILURE(user=str(request.user.pk))
        return True


class AdministratorsChange(AdministratorsOnly):
    """Everybody may read it, administrators may change it."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        return request.method in SAFE_METHODS or super().has_permission(request, view)
