"""The documents of User and Team, for the description only. Facts from [User] and [Team]."""

from typing import Any

from rest_framework import serializers

from finesse.api.description import Notification, Wrapped, XMLSerializer
from finesse.api.serializers import AsynchronousErrorsSerializer, UpdateSerializer
from finesse.notifications import nodes
from media.api.serializers import MOMENT, REASON, requestable
from media.states import USER_STATES, State
from reasoncodes.serializers import ReasonCodeSerializer


class MobileAgentSerializer(XMLSerializer):
    """Of telephones: always empty here."""

    dialNumber = serializers.CharField(help_text="Empty")
    mode = serializers.CharField(help_text="Empty")


class DeviceSettingsSerializer(XMLSerializer):
    """Of telephones: always empty here."""

    deviceSelection = serializers.CharField(help_text="Empty")
    wrapUpOnIncoming = serializers.CharField(help_text="Empty")
    wrapUpOnOutgoing = serializers.CharField(help_text="Empty")


class TeamReferenceSerializer(XMLSerializer):
    """A team that the user supervises."""

    element = "Team"

    id = serializers.IntegerField(help_text="Its id")
    name = serializers.CharField(help_text="Its name")
    uri = serializers.CharField(help_text="Its path")


class UserSummarySerializer(XMLSerializer):
    """A user as a team shows it."""

    element = "User"

    dialogs = serializers.CharField(help_text="The path of the user's dialogs")
    extension = serializers.CharField(help_text="The telephone of the sign-in; empty if none")
    firstName = serializers.CharField(help_text="The first name")
    lastName = serializers.CharField(help_text="The last name")
    loginId = serializers.CharField(help_text="The id in paths")
    pendingState = serializers.CharField(help_text="Always empty here")
    reasonCode = ReasonCodeSerializer(
        allow_null=True, help_text="The reason of the state; empty if none"
    )
    state = serializers.ChoiceField(
        choices=[state.value for state in State], help_text="The desktop's state"
    )
    stateChangeTime = serializers.DateTimeField(allow_null=True, help_text=f"Since when. {MOMENT}")
    uri = serializers.CharField(help_text="The user's path")


class UserSerializer(UserSummarySerializer):
    """A user, with the session of the desktop, which is the one of the voice MRD. Every element
    is there; what has no value is empty."""

    example = """<User>
  <dialogs>/finesse/api/User/1234/Dialogs</dialogs>
  <extension>1001</extension>
  <firstName>Ana</firstName>
  <lastName>Lima</lastName>
  <loginId>1234</loginId>
  <loginName>1234</loginName>
  <mediaType>1</mediaType>
  <mobileAgent>
    <dialNumber></dialNumber>
    <mode></mode>
  </mobileAgent>
  <pendingState></pendingState>
  <reasonCode></reasonCode>
  <reasonCodeId>-1</reasonCodeId>
  <roles>
    <role>Agent</role>
  </roles>
  <services></services>
  <settings>
    <deviceSelection></deviceSelection>
    <wrapUpOnIncoming></wrapUpOnIncoming>
    <wrapUpOnOutgoing></wrapUpOnOutgoing>
  </settings>
  <skillTargetId></skillTargetId>
  <state>NOT_READY</state>
  <stateChangeTime>2015-09-11T06:55:14.782Z</stateChangeTime>
  <teamId>1</teamId>
  <teamName>Chat</teamName>
  <teams></teams>
  <uri>/finesse/api/User/1234</uri>
</User>"""

    loginName = serializers.CharField(help_text="The same as loginId here")
    mediaType = serializers.IntegerField(help_text="1: voice")
    mobileAgent = MobileAgentSerializer()
    reasonCodeId = serializers.IntegerField(min_value=-1, help_text="Its database id, or -1")
    roles = Wrapped(
        element="role",
        child=serializers.ChoiceField(choices=["Agent", "Supervisor", "Administrator"]),
        help_text="What the user is",
    )
    services = serializers.CharField(help_text="Always empty here")
    settings = DeviceSettingsSerializer()
    skillTargetId = serializers.CharField(help_text="Always empty here")
    teamId = serializers.IntegerField(allow_null=True, help_text="The user's team; empty if none")
    teamName = serializers.CharField(help_text="Its name; empty if none")
    teams = Wrapped(child=TeamReferenceSerializer(), help_text="The teams that the user supervises")

    def get_fields(self) -> dict[str, Any]:
        # Alphabetical, as real answers are.
        return dict(sorted(super().get_fields().items()))


class UserSignInSerializer(XMLSerializer):
    """Sign in [User—Sign In to Finesse]."""

    element = "User"
    example = "<User><state>LOGIN</state><extension>1001</extension></User>"

    state = serializers.ChoiceField(choices=["LOGIN"], help_text="It leads to NOT_READY")
    extension = serializers.CharField(
        required=False,
        max_length=32,
        help_text="The telephone: up to 32 letters, digits and +*#._-; or else activeDeviceId",
    )
    activeDeviceId = serializers.CharField(
        required=False, help_text="What newer clients name instead"
    )


class UserChangeStateSerializer(XMLSerializer):
    """Change the state or sign out [User APIs for Nonvoice Tasks]."""

    element = "User"
    example = "<User><state>NOT_READY</state><reasonCodeId>1001</reasonCodeId></User>"

    state = serializers.ChoiceField(
        choices=requestable(USER_STATES),
        help_text="LOGOUT from NOT_READY only, and out of all MRDs, too",
    )
    reasonCodeId = serializers.IntegerField(
        required=False,
        min_value=1,
        help_text=f"{REASON}. As with a Media; never from supervisors",
    )


class TeamSerializer(XMLSerializer):
    """A team with its users."""

    element = "Team"
    example = """<Team>
  <uri>/finesse/api/Team/1</uri>
  <id>1</id>
  <name>Chat</name>
  <users>
    <User>
      <dialogs>/finesse/api/User/1234/Dialogs</dialogs>
      <extension>1001</extension>
      <firstName>Ana</firstName>
      <lastName>Lima</lastName>
      <loginId>1234</loginId>
      <pendingState></pendingState>
      <reasonCode></reasonCode>
      <state>NOT_READY</state>
      <stateChangeTime>2015-09-11T06:55:14.782Z</stateChangeTime>
      <uri>/finesse/api/User/1234</uri>
    </User>
  </users>
</Team>"""

    uri = serializers.CharField(help_text="Its path")
    id = serializers.IntegerField(help_text="Its id")
    name = serializers.CharField(help_text="Its name")
    users = Wrapped(child=UserSummarySerializer(), help_text="Its members, by login id")


class UserUpdateDataSerializer(XMLSerializer):
    """The whole User as it is now, or the error."""

    user = UserSerializer(required=False)
    apiErrors = AsynchronousErrorsSerializer(required=False)


class UserUpdateSerializer(UpdateSerializer):
    """A user has changed, or a request about it has failed."""

    example = """<Update>
  <data>
    <user>
      <dialogs>/finesse/api/User/1234/Dialogs</dialogs>
      …
      <state>READY</state>
      …
      <uri>/finesse/api/User/1234</uri>
    </user>
  </data>
  <event>PUT</event>
  <requestId></requestId>
  <source>/finesse/api/User/1234</source>
</Update>"""

    data = UserUpdateDataSerializer(  # type: ignore[assignment]
        required=False, help_text="There is none when the user was deleted"
    )


USER_NOTIFICATION = Notification(
    name="User",
    node=nodes.USER,
    source=nodes.USER,
    page="User Notification",
    events={
        "PUT": "State, extension, name, roles or team have changed; and errors",
        "POST": "The user was added",
        "DELETE": "The user was deleted",
    },
    update=UserUpdateSerializer,
)


class TeamUpdateDataSerializer(XMLSerializer):
    """The user who has changed, or the one who has joined or left the team."""

    user = UserSummarySerializer(required=False)
    users = Wrapped(
        child=UserSummarySerializer(), required=False, help_text="Of POST and DELETE; there is one"
    )


class TeamUpdateSerializer(UpdateSerializer):
    """A user of the team has changed, has joined it or has left it."""

    example = """<Update>
  <data>
    <user>
      <dialogs>/finesse/api/User/1234/Dialogs</dialogs>
      <extension>1001</extension>
      <firstName>Ana</firstName>
      <lastName>Lima</lastName>
      <loginId>1234</loginId>
      <pendingState></pendingState>
      <reasonCode></reasonCode>
      <state>READY</state>
      <stateChangeTime>2015-09-11T06:55:14.782Z</stateChangeTime>
      <uri>/finesse/api/User/1234</uri>
    </user>
  </data>
  <event>PUT</event>
  <requestId></requestId>
  <source>/finesse/api/User/1234</source>
</Update>"""

    data = TeamUpdateDataSerializer()  # type: ignore[assignment]


TEAM_NOTIFICATION = Notification(
    name="Team",
    node=nodes.TEAM_USERS,
    source=nodes.USER,
    page="Team Notification",
    events={
        "PUT": "A user of the team has changed, as the User notification tells it",
        "POST": "A user has joined the team: <users>, and the source is the node (our reading)",
        "DELETE": "A user has left the team or was deleted, likewise",
    },
    update=TeamUpdateSerializer,
)
