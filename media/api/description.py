"""The operations of Media, MediaDomain and Dialogs, for the description."""

from finesse.api.description import EVERY_USER, THE_USER, Operation
from finesse.api.errors import (
    AGENT_ALREADY_LOGGED_IN,
    AGENT_NOT_FOUND,
    AGENT_NOT_LOGGED_IN,
    ALREADY_IN_REQUESTED_AGENT_MODE,
    CANT_LOGIN_TO_VOICE_MRD,
    INTERNAL_ERROR,
    LOGIN_NOT_ALLOWED_FOR_APP_PATH,
    MRD_LIST_ENTRY_NOT_FOUND,
    MRD_NOT_FOUND,
    OTHER_USER,
    PARAMETER_INVALID,
    PARAMETER_MISSING,
    REASON_CODE_FULL,
    REASON_CODE_INVALID,
    REASON_CODE_NOT_ALLOWED,
    REASON_CODE_REQUIRED,
    ROUTABLE_INVALID,
    STATE_AND_ROUTABLE,
    STATE_INVALID,
    STATE_MISSING,
)
from media.api import dialog_serializers, request_serializers, serializers

_OF_A_PUT_ABOUT_MEDIA = (
    OTHER_USER,
    MRD_NOT_FOUND,
    STATE_MISSING,
    STATE_INVALID,
    STATE_AND_ROUTABLE,
    ROUTABLE_INVALID,
    PARAMETER_MISSING,
    PARAMETER_INVALID,
    REASON_CODE_NOT_ALLOWED,
    REASON_CODE_REQUIRED,
    REASON_CODE_INVALID,
    REASON_CODE_FULL,
)
_OF_MEDIA_LATER = (
    AGENT_ALREADY_LOGGED_IN,
    AGENT_NOT_LOGGED_IN,
    ALREADY_IN_REQUESTED_AGENT_MODE,
    LOGIN_NOT_ALLOWED_FOR_APP_PATH,
    CANT_LOGIN_TO_VOICE_MRD,
    STATE_INVALID,
    ROUTABLE_INVALID,
    REASON_CODE_FULL,
    AGENT_NOT_FOUND,
    MRD_LIST_ENTRY_NOT_FOUND,
    INTERNAL_ERROR,
)

GET_MEDIA = Operation(
    summary="Read one Media",
    page="Media - Get Media",
    callers=THE_USER,
    answer=serializers.MediaSerializer,
    errors=(OTHER_USER, MRD_NOT_FOUND),
    notification=serializers.MEDIA_NOTIFICATION,
)
PUT_MEDIA = Operation(
    summary="Sign in, change the state or the mode, sign out",
    page="Media—Change Agent State with Reason Code",
    callers=THE_USER,
    text="202 says that the request was accepted, not that anything has changed: the outcome "
    "arrives as a notification. A request that changes nothing is followed by no notification, "
    "such as READY of an agent who is READY.",
    body=(
        request_serializers.MediaChangeStateSerializer,
        request_serializers.MediaSignInSerializer,
        request_serializers.MediaChangeModeSerializer,
    ),
    status=202,
    errors=_OF_A_PUT_ABOUT_MEDIA,
    notification=serializers.MEDIA_NOTIFICATION,
    later=_OF_MEDIA_LATER,
)
GET_MEDIA_LIST = Operation(
    summary="Read all Media of a user",
    page="Media - Get List",
    callers=THE_USER,
    answer=serializers.MediaListSerializer,
    errors=(OTHER_USER,),
    notification=serializers.MEDIA_NOTIFICATION,
)
PUT_MEDIA_LIST = Operation(
    summary="Change several Media at once",
    page="Media—Put List",
    callers=THE_USER,
    text="All are accepted or none: the first wrong one decides the error of the answer. Each "
    "Media has an outcome of its own. All of them carry the requestId of the request.",
    body=(request_serializers.MediaPutListSerializer,),
    status=202,
    errors=_OF_A_PUT_ABOUT_MEDIA,
    notification=serializers.MEDIA_NOTIFICATION,
    later=_OF_MEDIA_LATER,
)
GET_MEDIA_DOMAINS = Operation(
    summary="Read all MRDs",
    page="Release Notes 12.6(2): Finesse",
    callers=EVERY_USER,
    answer=serializers.MediaDomainsSerializer,
)
GET_MEDIA_DOMAIN = Operation(
    summary="Read one MRD",
    page="Release Notes 12.6(2): Finesse",
    callers=EVERY_USER,
    answer=serializers.MediaDomainSerializer,
    errors=(MRD_NOT_FOUND,),
)
GET_DIALOGS = Operation(
    summary="Read the calls or tasks of a user",
    page="Dialog APIs for Nonvoice Tasks",
    callers=THE_USER,
    text="Dialogs are calls, Dialogs/Media are tasks; both lists are empty.",
    answer=dialog_serializers.DialogsSerializer,
    errors=(OTHER_USER,),
    not_served=(
        dialog_serializers.DialogsUpdateSerializer,
        dialog_serializers.TaskActionRequestSerializer,
    ),
)
