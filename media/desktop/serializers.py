"""The documents of User, for the description only. Facts from [User]."""

from rest_framework import serializers

from finesse.api.description import (
    AlphabeticalSerializer,
    Notification,
    RequestSerializer,
    XMLSerializer,
)
from finesse.api.fields import (
    BooleanField,
    IdField,
    LoginIdField,
    NumberField,
    TimestampField,
    UriField,
    WrappedListField,
)
from finesse.api.serializers import AsynchronousErrorsSerializer, UpdateSerializer
from finesse.notifications import nodes
from media.api.fields import REASON, STATE_CHANGE_TIME, in_order
from media.desktop.fields import (
    ROLES,
    RequestedUserStateField,
    RoleField,
    TeamUriField,
    UserStateField,
    UserUriField,
)
from media.documents.user import VOICE
from media.states import USER_STATES, Requested
from reasoncodes.serializers import (
    ChosenReasonCodeIdField,
    ReasonCodeIdOrNoneField,
    UserReasonCodeSerializer,
)


class MobileAgentSerializer(XMLSerializer):
    """The settings of a mobile agent's telephone, always empty here [User]."""

    dialNumber = serializers.CharField(help_text="Empty")
    mode = serializers.CharField(help_text="Empty")


class DeviceSettingsSerializer(XMLSerializer):
    """The settings of a telephone, always empty here [User]."""

    deviceSelection = serializers.CharField(help_text="Empty")
    wrapUpOnIncoming = serializers.CharField(help_text="Empty")
    wrapUpOnOutgoing = serializers.CharField(help_text="Empty")


class TeamReferenceSerializer(XMLSerializer):
    """A team that the user supervises [User]."""

    element = "Team"

    id = IdField(help_text="Its id")
    name = serializers.CharField(help_text="Its name")
    uri = TeamUriField(help_text="Its path")


class UserSummarySerializer(AlphabeticalSerializer):
    """A user as a team shows it [Team]."""

    element = "User"

    dialogs = UriField(help_text="The path of the user's dialogs")
    extension = serializers.CharField(help_text="The telephone of the sign-in; empty if none")
    firstName = serializers.CharField(help_text="The first name")
    lastName = serializers.CharField(help_text="The last name")
    loginId = LoginIdField(help_text="The id in paths")
    pendingState = UserStateField(allow_null=True, help_text="Always empty here")
    reasonCode = UserReasonCodeSerializer(
        allow_null=True, help_text="The reason of the state; empty if none"
    )
    state = UserStateField(help_text="The state of the desktop")
    stateChangeTime = TimestampField(allow_null=True, help_text=STATE_CHANGE_TIME)
    uri = UserUriField(help_text="The user's path")


class UserSerializer(UserSummarySerializer):
    """A user with the state of the desktop, which is that of the voice MRD [User]. Elements
    without a value are empty."""

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
    mediaType = serializers.ChoiceField(choices=[VOICE], help_text="1: voice")
    mobileAgent = MobileAgentSerializer()
    reasonCodeId = ReasonCodeIdOrNoneField(
        help_text="The database id of the reason code, or -1 for none"
    )
    roles = WrappedListField(
        element="role",
        child=RoleField(),
        min_length=1,
        max_length=len(ROLES),
        help_text="The roles of the user",
    )
    services = WrappedListField(
        element="service", child=serializers.CharField(), help_text="Always empty here"
    )
    settings = DeviceSettingsSerializer()
    skillTargetId = NumberField(allow_null=True, help_text="Always empty here")
    teamId = IdField(allow_null=True, help_text="The id of the user's team; empty if none")
    teamName = serializers.CharField(help_text="The name of the user's team; empty if none")
    teams = WrappedListField(
        child=TeamReferenceSerializer(), help_text="The teams that the user supervises"
    )


class UserSignInSerializer(RequestSerializer):
    """Sign in [User—Sign In to Finesse]."""

    element = "User"
    example = "<User><state>LOGIN</state><extension>1001</extension></User>"

    state = RequestedUserStateField(
        choices=[Requested.LOGIN.value], help_text="The new state is NOT_READY"
    )
    extension = serializers.CharField(
        required=False,
        max_length=32,
        help_text="The telephone: up to 32 letters, digits and +*#._-; required without "
        "activeDeviceId",
    )
    activeDeviceId = serializers.CharField(
        required=False, help_text="Newer clients send this instead of the extension"
    )


class UserChangeStateSerializer(RequestSerializer):
    """Change the state or sign out [User APIs for Nonvoice Tasks]."""

    element = "User"
    example = "<User><state>NOT_READY</state><reasonCodeId>1001</reasonCodeId></User>"

    state = RequestedUserStateField(
        choices=in_order(USER_STATES - {Requested.LOGIN}),
        help_text="LOGOUT from NOT_READY only; it signs out of all MRDs, too, unless "
        "logoutAllMedia is false",
    )
    reasonCodeId = ChosenReasonCodeIdField(
        help_text=f"{REASON}. As with a Media; supervisors send none for others"
    )
    logoutAllMedia = BooleanField(
        required=False,
        help_text="With LOGOUT. true: also sign out of all MRDs; false: of the desktop alone. "
        "Without it the server's setting decides. No page has it: our reading",
    )


class UserUpdateDataSerializer(XMLSerializer):
    """The whole User as it is now, or the error [User Notification]."""

    forms = (("user",), ("apiErrors",))

    user = UserSerializer()
    apiErrors = AsynchronousErrorsSerializer()


class UserUpdateSerializer(UpdateSerializer):
    """A user has changed, or a request about it has failed [User Notification]."""

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
        required=False, help_text="Absent when the user was deleted"
    )


USER_NOTIFICATION = Notification(
    name="User",
    node=nodes.USER,
    source=nodes.USER,
    page="User Notification",
    events={
        "PUT": "The state, extension, name, roles or team have changed, or a request has failed",
        "POST": "The user was added",
        "DELETE": "The user was deleted",
    },
    update=UserUpdateSerializer,
)
