"""The documents of Dialogs, for the description only.

Dialogs are calls and tasks. This server routes neither, so its lists of them are empty; the rest
is Finesse's, for the XML Schema [Dialog], [Dialog APIs for Nonvoice Tasks].
"""

from rest_framework import serializers

from finesse.api.description import RequestSerializer, XMLSerializer
from finesse.api.fields import (
    MrdIdField,
    NamedChoiceField,
    TimestampField,
    UriField,
    WrappedListField,
)
from finesse.api.serializers import UpdateSerializer


class TaskStateField(NamedChoiceField):
    """The state of a task [MediaDialog.States], [State (Dialog) Parameter Values]."""

    values = (
        "OFFERED",
        "ACCEPTED",
        "ACTIVE",
        "PAUSED",
        "WRAPPING_UP",
        "INTERRUPTED",
        "UNKNOWN",
        "CLOSED",
    )


class TaskActionField(NamedChoiceField):
    """What an agent may do with a task [MediaDialog.TaskActions]."""

    values = ("ACCEPT", "CLOSE", "PAUSE", "RESUME", "START", "TRANSFER", "WRAP_UP")


class CallVariableSerializer(XMLSerializer):
    """A variable of a task [Dialog]."""

    element = "CallVariable"

    name = serializers.CharField()
    value = serializers.CharField()


class MediaPropertiesSerializer(XMLSerializer):
    """The origin of a task [Dialog]. Its order is not established."""

    any_order = True

    mediaId = MrdIdField()
    dialedNumber = serializers.CharField()
    queueNumber = serializers.CharField()
    queueName = serializers.CharField()
    callKeyCallId = serializers.CharField()
    callKeySequenceNum = serializers.CharField()
    callKeyPrefix = serializers.CharField()
    callvariables = WrappedListField(child=CallVariableSerializer())


class ParticipantSerializer(XMLSerializer):
    """An agent who works on a task [Dialog]."""

    element = "Participant"

    actions = WrappedListField(element="action", child=TaskActionField())
    mediaAddress = serializers.CharField()
    startTime = TimestampField(allow_null=True)
    state = TaskStateField()
    stateChangeTime = TimestampField(allow_null=True)


class DialogSerializer(XMLSerializer):
    """A task [Dialog]. Its order is not established."""

    element = "Dialog"
    any_order = True

    associatedDialogUri = serializers.CharField()
    dispositionCode = serializers.CharField(required=False)
    id = serializers.CharField()
    mediaProperties = MediaPropertiesSerializer()
    mediaType = serializers.CharField()
    participants = WrappedListField(child=ParticipantSerializer())
    state = TaskStateField()
    uri = UriField()


class DialogsSerializer(XMLSerializer):
    """The calls or tasks of a user [Dialogs/Media Notification]. This server routes neither, so
    the list is always empty."""

    element = "Dialogs"
    example = "<Dialogs></Dialogs>"

    Dialog = DialogSerializer(  # type: ignore[call-arg]
        many=True, required=False, max_length=0, help_text="None here"
    )


class DialogsUpdateDataSerializer(XMLSerializer):
    """The tasks of a user, or one task [Dialogs/Media Notification]."""

    forms = (("dialogs",), ("dialog",))

    dialogs = DialogsSerializer()
    dialog = DialogSerializer()


class DialogsUpdateSerializer(UpdateSerializer):
    """The tasks of a user have changed [Dialogs/Media Notification]."""

    data = DialogsUpdateDataSerializer()  # type: ignore[assignment]


class TaskActionRequestSerializer(RequestSerializer):
    """Do something with a task [Dialog—Take Action on Participant]."""

    element = "Dialog"

    requestedAction = TaskActionField()
    targetMediaAddress = serializers.CharField(required=False)
