"""Permissions: which callers may use which resources."""

from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from finesse.api.errors import AUTHORIZATION_FAILURE, LIST_NOT_AUTHORIZED, OTHER_USER


class OwnObjectsOnly(BasePermission):
    """Users, also supervisors and administrators, have access to their own Media only [seed].

    Checked before the user in the path is looked up, so that callers cannot find out which users
    exist.
    """

    def has_permission(self, request: Request, view: APIView) -> bool:
        if view.kwargs["user_id"] != request.user.pk:
            raise OTHER_USER(user=str(request.user.pk))
        return True


class OwnObjectsOrAdministrator(BasePermission):
    """Users have access to their own objects, administrators to all [User—Get Reason Code List].

    Checked before the user in the path is looked up, so that callers cannot find out which users
    exist.
    """

    def has_permission(self, request: Request, view: APIView) -> bool:
        if view.kwargs["user_id"] != request.user.pk and not request.user.is_superuser:
            raise OTHER_USER(user=str(request.user.pk))
        return True


class AdministratorsOnly(BasePermission):
    """Only administrators have access to the configuration [Client Requests]."""

    refusal = AUTHORIZATION_FAILURE

    def has_permission(self, request: Request, view: APIView) -> bool:
        if not request.user.is_superuser:
            raise self.refusal(user=str(request.user.pk))
        return True


class AdministratorsList(AdministratorsOnly):
    """Only administrators read the lists of everything [User—Get List]."""

    refusal = LIST_NOT_AUTHORIZED


class AdministratorsChange(AdministratorsOnly):
    """Every user may read, only administrators may change."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        return request.method in SAFE_METHODS or super().has_permission(request, view)
