"""/finesse/api/User/<id>/Queues and other lists that desktops ask for at their start.

This service has nothing for them, so they are empty. No page that we know prints them without an
entry: that the root element is then empty, as with Dialogs, is our reading.
"""

from rest_framework import status
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from finesse.api.errors import OTHER_USER, PARAMETER_MISSING, USER_NOT_FOUND
from finesse.api.permissions import OwnObjectsOrAdministrator
from finesse.api.views import FinesseView
from finesse.users.models import User
from media.desktop import description


class EmptyList(FinesseView):
    """A list of a user in which there is nothing."""

    permission_classes = (IsAuthenticated, OwnObjectsOrAdministrator)

    def answer(self, root: str, user_id: str) -> Response:
        """Raises FinesseError `User Not Found`."""
        if not User.objects.filter(pk=user_id).exists():
            raise USER_NOT_FOUND(user=user_id)
        return Response({root: None})


class QueueList(EmptyList):
    """The queues of the user's calls [Queue]."""

    @description.GET_QUEUES
    def get(self, request: Request, user_id: str) -> Response:
        return self.answer("Queues", user_id)


class WrapUpReasonList(EmptyList):
    """What the user may choose after a call [User—Get Wrap-Up Reason List]."""

    @description.GET_WRAP_UP_REASONS
    def get(self, request: Request, user_id: str) -> Response:
        return self.answer("WrapUpReasons", user_id)


class PhoneBookList(EmptyList):
    """The numbers that the user may dial [User—Get Phone Book List]."""

    @description.GET_PHONE_BOOKS
    def get(self, request: Request, user_id: str) -> Response:
        return self.answer("PhoneBooks", user_id)


class MediaPropertiesLayoutList(EmptyList):
    """What a desktop shows of a call [User—Get Media Properties Layout List]."""

    @description.GET_MEDIA_PROPERTIES_LAYOUTS
    def get(self, request: Request, user_id: str) -> Response:
        return self.answer("MediaPropertiesLayouts", user_id)


class ClientLog(EmptyList):
    """The log that a desktop keeps of itself, and posts now and then [ClientLog]."""

    @description.GET_CLIENT_LOG
    def get(self, request: Request, user_id: str) -> Response:
        return self.answer("ClientLog", user_id)

    @description.POST_CLIENT_LOG
    def post(self, request: Request, user_id: str) -> Response:
        """Answers 202 and keeps nothing: kept logs would let every user fill the disk."""
        if user_id != request.user.pk:
            raise OTHER_USER(user=str(request.user.pk))
        if "logData" not in self.document("ClientLog"):
            raise PARAMETER_MISSING(parameter="logData")
        return Response(status=status.HTTP_202_ACCEPTED)
