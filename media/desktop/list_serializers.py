"""The documents of the lists of users and teams, and of the lists that are empty here.

For the description only.
"""

from rest_framework import serializers

from finesse.api.description import RequestSerializer, XMLSerializer
from finesse.api.fields import IdField, UriField
from media.desktop.fields import TeamUriField
from media.desktop.serializers import UserSerializer


class UsersSerializer(XMLSerializer):
    """All users, sorted by login id, each as a whole [User—Get List]."""

    element = "Users"
    example = f"<Users>\n  {UserSerializer.example.replace(chr(10), chr(10) + '  ')}\n</Users>"

    User = UserSerializer(many=True, required=False)


class TeamOfListSerializer(XMLSerializer):
    """A team without its users [Team]."""

    element = "Team"

    uri = TeamUriField(help_text="Its path, which has its users, too")
    id = IdField(help_text="Its id")
    name = serializers.CharField(help_text="Its name")


class TeamsSerializer(XMLSerializer):
    """All teams, sorted by id. No page prints it: our reading [Team]."""

    element = "Teams"
    example = """<Teams>
  <Team>
    <uri>/finesse/api/Team/1</uri>
    <id>1</id>
    <name>Chat</name>
  </Team>
</Teams>"""

    Team = TeamOfListSerializer(many=True, required=False)


class QueueSerializer(XMLSerializer):
    """A queue of calls [Queue]."""

    uri = UriField(help_text="Its path")


class QueuesSerializer(XMLSerializer):
    """The queues of the user's calls; none here [Queue]."""

    element = "Queues"
    example = "<Queues></Queues>"

    Queue = QueueSerializer(  # type: ignore[call-arg]
        many=True, required=False, max_length=0, help_text="None here"
    )


class WrapUpReasonSerializer(XMLSerializer):
    """A reason to choose after a call [User—Get Wrap-Up Reason List]."""

    uri = UriField(help_text="Its path")


class WrapUpReasonsSerializer(XMLSerializer):
    """What the user may choose after a call; nothing here [User—Get Wrap-Up Reason List]."""

    element = "WrapUpReasons"
    example = "<WrapUpReasons></WrapUpReasons>"

    WrapUpReason = WrapUpReasonSerializer(  # type: ignore[call-arg]
        many=True, required=False, max_length=0, help_text="None here"
    )


class PhoneBookSerializer(XMLSerializer):
    """A phone book [User—Get Phone Book List]."""

    uri = UriField(help_text="Its path")


class PhoneBooksSerializer(XMLSerializer):
    """The numbers that the user may dial; none here [User—Get Phone Book List]."""

    element = "PhoneBooks"
    example = "<PhoneBooks></PhoneBooks>"

    PhoneBook = PhoneBookSerializer(  # type: ignore[call-arg]
        many=True, required=False, max_length=0, help_text="None here"
    )


class MediaPropertiesLayoutSerializer(XMLSerializer):
    """A layout of call data [User—Get Media Properties Layout List]."""

    uri = UriField(help_text="Its path")


class MediaPropertiesLayoutsSerializer(XMLSerializer):
    """What a desktop shows of a call; nothing here [User—Get Media Properties Layout List]."""

    element = "MediaPropertiesLayouts"
    example = "<MediaPropertiesLayouts></MediaPropertiesLayouts>"

    MediaPropertiesLayout = MediaPropertiesLayoutSerializer(  # type: ignore[call-arg]
        many=True, required=False, max_length=0, help_text="None here"
    )


class ClientLogSerializer(XMLSerializer):
    """The log that a desktop keeps of itself; this server keeps none [ClientLog]."""

    element = "ClientLog"
    example = "<ClientLog></ClientLog>"

    logData = serializers.CharField(required=False, help_text="Absent here")


class ClientLogRequestSerializer(RequestSerializer):
    """The log of a desktop; this server accepts it and keeps nothing [ClientLog]."""

    element = "ClientLog"
    example = "<ClientLog><logData>08:15:02 INFO signed in</logData></ClientLog>"

    logData = serializers.CharField(help_text="The lines of the log, in a body of 64 KiB at most")
