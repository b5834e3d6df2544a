"""Documents that every resource has: the errors. For the description only."""

from rest_framework import serializers

from finesse.api.description import XMLSerializer


class ApiErrorSerializer(XMLSerializer):
    """One error. `ErrorMessage` and `ErrorType` together say which; texts are for people."""

    element = "ApiError"

    ErrorData = serializers.CharField(help_text="What it is about: a parameter, an id, a number")
    ErrorMedia = serializers.CharField(
        required=False, help_text="The MRD, where the path or the body names one"
    )
    ErrorMessage = serializers.CharField(help_text="A constant or a sentence")
    ErrorType = serializers.CharField(help_text="The kind of error")


class ApiErrorsSerializer(XMLSerializer):
    """The body of every 4xx and 5xx [Cisco Finesse API Errors]."""

    element = "ApiErrors"

    ApiError = ApiErrorSerializer(many=True, help_text="The error; there is one")


class AsynchronousErrorSerializer(XMLSerializer):
    """An error after the 202; the names start in lower case here."""

    element = "apiError"

    errorData = serializers.CharField(help_text="The number of an ARM error, else a parameter")
    errorMedia = serializers.IntegerField(
        required=False, help_text="The MRD; errors of a User have none"
    )
    errorMessage = serializers.CharField(help_text="The constant that clients compare")
    errorType = serializers.CharField(help_text="A text for people")


class AsynchronousErrorsSerializer(XMLSerializer):
    """[Media and Dialogs/Media Asynchronous Error Notification]"""

    element = "apiErrors"

    apiError = AsynchronousErrorSerializer(many=True, help_text="The error; there is one")


class UpdateSerializer(XMLSerializer):
    """What happened on a node [Notification Parameters]."""

    element = "Update"

    event = serializers.ChoiceField(
        choices=["PUT", "POST", "DELETE"],
        help_text="PUT: changed, or an error. POST: added. DELETE: removed",
    )
    requestId = serializers.CharField(
        help_text="The caller's, in errors; empty in all that nobody asked for"
    )
    source = serializers.CharField(  # type: ignore[assignment]
        help_text="The path of the object, to read it anew"
    )
