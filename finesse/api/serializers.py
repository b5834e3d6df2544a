"""The documents that every resource has: errors and updates. For the description only."""

from typing import Any

from rest_framework import serializers

from finesse.api.description import AlphabeticalSerializer, XMLSerializer
from finesse.api.errors import TABLE
from finesse.api.fields import (
    LARGEST_32,
    MrdIdField,
    NamedChoiceField,
    NamedField,
    NotEmptyField,
    UriField,
)


class ErrorTypeField(NamedChoiceField):
    """The kind of an error [Media API Errors], [User API Errors], [ReasonCode API Errors]. Of the
    asynchronous ones [Errors for Agent State and Mode Changes] prints only three; the others are
    this server's own."""

    values = dict.fromkeys(row.type for row in TABLE.values())


class ApiErrorSerializer(XMLSerializer):
    """One error. Clients tell errors apart by `ErrorMessage` and `ErrorType` together
    [Media API Errors], [Client Requests]."""

    element = "ApiError"
    forms = tuple(dict.fromkeys(row.elements for row in TABLE.values()))

    ErrorData = serializers.CharField(
        help_text="The parameter, id or number that the error is about"
    )
    ErrorMedia = serializers.CharField(
        required=False, help_text="The MRD, where the path or the body names one"
    )
    ErrorMessage = NotEmptyField(help_text="A constant or a sentence")
    ErrorType = ErrorTypeField(help_text="The kind of error")


class ApiErrorsSerializer(XMLSerializer):
    """The body of every 4xx and 5xx [Cisco Finesse API Errors]."""

    element = "ApiErrors"

    ApiError = ApiErrorSerializer(many=True, help_text="The error; there is one")


class ErrorNumberField(NamedField, serializers.IntegerField):
    """The number of an error after the 202, which clients read as an integer
    [Errors for Agent State and Mode Changes]."""

    pattern = "-1|0|[1-9][0-9]*"

    def __init__(self, **options: Any) -> None:
        super().__init__(min_value=-1, max_value=LARGEST_32, **options)


class AsynchronousErrorSerializer(XMLSerializer):
    """An error after the 202; the names start in lower case here
    [Media and Dialogs/Media Asynchronous Error Notification]."""

    element = "apiError"

    errorData = ErrorNumberField(help_text="The number of the error; -1 where no page shows it")
    errorMedia = MrdIdField(required=False, help_text="The MRD; errors of a User have none")
    errorMessage = NotEmptyField(help_text="The constant that clients compare")
    errorType = ErrorTypeField(help_text="A text for people")


class AsynchronousErrorsSerializer(XMLSerializer):
    """The errors after a 202 [Media and Dialogs/Media Asynchronous Error Notification]."""

    element = "apiErrors"

    apiError = AsynchronousErrorSerializer(many=True, help_text="The error; there is one")


class EventField(NamedChoiceField):
    """What happened to the object, in upper case [Notification Parameters]."""

    values = ("PUT", "POST", "DELETE")


class RequestIdField(NamedField, serializers.RegexField):
    """The requestId of a request, or empty [Notification Parameters]. Up to 255 printable ASCII
    characters: our choice."""

    def __init__(self, **options: Any) -> None:
        super().__init__("^[ -~]{0,255}$", **options)


class UpdateSerializer(AlphabeticalSerializer):
    """A change on a node [Notification Parameters]. The pages print the elements in different
    orders; this is the alphabetical one of the newer samples."""

    element = "Update"

    event = EventField(help_text="PUT: changed, or an error. POST: added. DELETE: removed")
    requestId = RequestIdField(
        help_text="In errors, the requestId of the request; empty if no request caused the change"
    )
    source = UriField(help_text="The path of the object, to GET a fresh copy")  # type: ignore[assignment]
