"""The documents of Media, MediaDomain and Dialogs, for the description only.

Facts from [Media API Parameters].
"""

from rest_framework import serializers

from finesse.api.description import Notification, XMLSerializer
from finesse.api.serializers import AsynchronousErrorsSerializer, UpdateSerializer
from finesse.notifications import nodes
from media.models import DialogLogoutAction, InterruptAction
from media.states import MEDIA_STATES, Requested, State
from reasoncodes.serializers import EmbeddedReasonCodeSerializer

_LARGEST = 10
MOMENT = "UTC with milliseconds, like 2015-09-11T06:55:14.782Z; empty if there was none yet"
REASON = "The database id of a reason code, not its code"


def requestable(states: frozenset[Requested]) -> list[str]:
    return [state.value for state in Requested if state in states - {Requested.LOGIN}]


# --- Media --------------------------------------------------------------------------------------


class MediaDomainSerializer(XMLSerializer):
    """A Media Routing Domain (MRD). No page shows the elements: our reading."""

    element = "MediaDomain"
    example = """<MediaDomain>
  <uri>/finesse/api/MediaDomain/5001</uri>
  <description>E-mails from customers</description>
  <id>5001</id>
  <interruptible>true</interruptible>
  <name>Email</name>
</MediaDomain>"""

    uri = serializers.CharField(help_text="Its path")
    description = serializers.CharField(help_text="A text for people")
    id = serializers.IntegerField(help_text="The mrdId of paths; 1 is voice")
    interruptible = serializers.BooleanField(
        help_text="Whether a task of another MRD may interrupt tasks of this one"
    )
    name = serializers.CharField(help_text="Its name")


class MediaDomainsSerializer(XMLSerializer):
    """Every MRD, by id."""

    element = "MediaDomains"
    example = """<MediaDomains>
  <MediaDomain>
    <uri>/finesse/api/MediaDomain/1</uri>
    <description></description>
    <id>1</id>
    <interruptible>false</interruptible>
    <name>Voice</name>
  </MediaDomain>
</MediaDomains>"""

    MediaDomain = MediaDomainSerializer(many=True)


class MediaSerializer(XMLSerializer):
    """One user in one MRD. Signed out, the three options of the sign-in are left out; for a user
    who is not assigned to the MRD there are the MRD's five elements only."""

    element = "Media"
    example = """<Media>
  <uri>/finesse/api/User/1234/Media/5001</uri>
  <description>E-mails from customers</description>
  <dialogLogoutAction>CLOSE</dialogLogoutAction>
  <id>5001</id>
  <interruptible>true</interruptible>
  <maxDialogLimit>5</maxDialogLimit>
  <name>Email</name>
  <ReasonCode>
    <category>NOT_READY</category>
    <code>1</code>
    <forAll>true</forAll>
    <id>1001</id>
    <label>Lunch</label>
    <uri>/finesse/api/ReasonCode/1001</uri>
  </ReasonCode>
  <reasonCodeId>1001</reasonCodeId>
  <routable>true</routable>
  <state>NOT_READY</state>
  <stateChangeTime>2015-09-11T06:55:14.782Z</stateChangeTime>
  <interruptAction>ACCEPT</interruptAction>
</Media>"""

    uri = serializers.CharField(help_text="Where to read it anew")
    description = serializers.CharField(help_text="The MRD's description")
    dialogLogoutAction = serializers.ChoiceField(
        choices=DialogLogoutAction.values,
        required=False,
        help_text="What becomes of tasks at sign-out; while signed in",
    )
    id = serializers.IntegerField(help_text="The MRD's id")
    interruptible = serializers.BooleanField(
        help_text="Whether a task of another MRD may interrupt tasks here"
    )
    maxDialogLimit = serializers.IntegerField(
        min_value=1,
        max_value=_LARGEST,
        required=False,
        help_text="Tasks at once; while signed in",
    )
    name = serializers.CharField(help_text="The MRD's name")
    ReasonCode = EmbeddedReasonCodeSerializer(
        required=False, help_text="The reason of NOT_READY, if one was chosen"
    )
    reasonCodeId = serializers.IntegerField(
        required=False, min_value=-1, help_text="Its database id, or -1 for none"
    )
    routable = serializers.BooleanField(
        required=False, help_text="Whether tasks may be assigned to the user"
    )
    state = serializers.ChoiceField(
        choices=[state.value for state in State], required=False, help_text="The present state"
    )
    stateChangeTime = serializers.DateTimeField(
        required=False, allow_null=True, help_text=f"Since when. {MOMENT}"
    )
    interruptAction = serializers.ChoiceField(
        choices=InterruptAction.values,
        required=False,
        help_text="Whether interruptions are accepted; while signed in",
    )


class MediaListSerializer(XMLSerializer):
    """The user's Media, by MRD."""

    element = "MediaList"
    example = """<MediaList>
  <Media>
    <uri>/finesse/api/User/1234/Media/5000</uri>
    <description>Chat conversations</description>
    <id>5000</id>
    <interruptible>true</interruptible>
    <name>Chat</name>
    <reasonCodeId>-1</reasonCodeId>
    <routable>false</routable>
    <state>LOGOUT</state>
    <stateChangeTime></stateChangeTime>
  </Media>
</MediaList>"""

    Media = MediaSerializer(many=True, required=False)


class MediaSignInSerializer(XMLSerializer):
    """Sign in [Media—Sign In]."""

    element = "Media"
    example = (
        "<Media><maxDialogLimit>5</maxDialogLimit><state>LOGIN</state>"
        "<interruptAction>ACCEPT</interruptAction>"
        "<dialogLogoutAction>CLOSE</dialogLogoutAction></Media>"
    )

    state = serializers.ChoiceField(choices=["LOGIN"], help_text="It leads to NOT_READY")
    maxDialogLimit = serializers.IntegerField(
        min_value=1, max_value=_LARGEST, help_text="Tasks at once"
    )
    interruptAction = serializers.ChoiceField(
        choices=InterruptAction.values,
        help_text="Whether a task of another MRD may interrupt (in interruptible MRDs)",
    )
    dialogLogoutAction = serializers.ChoiceField(
        choices=DialogLogoutAction.values,
        required=False,
        help_text="What becomes of tasks at sign-out; CLOSE unless given",
    )


class MediaChangeStateSerializer(XMLSerializer):
    """Change the state or sign out [Media—Change Agent State with Reason Code]."""

    element = "Media"
    example = "<Media><state>NOT_READY</state><reasonCodeId>1001</reasonCodeId></Media>"

    state = serializers.ChoiceField(
        choices=requestable(MEDIA_STATES),
        help_text="What is legal depends on the present state; ACTIVE is the way back from WORK",
    )
    reasonCodeId = serializers.IntegerField(
        required=False,
        min_value=1,
        help_text=f"{REASON}. With NOT_READY and LOGOUT: required if there is any to choose",
    )


class MediaChangeModeSerializer(XMLSerializer):
    """Change the mode [Media—Change Agent to Routable/Not Routable]."""

    element = "Media"
    example = "<Media><routable>false</routable></Media>"

    routable = serializers.BooleanField(help_text="Whether tasks may be assigned; not with a state")


class MediaOfListSerializer(XMLSerializer):
    """One Media of the list, named by its id or its uri; else like a request of its own."""

    element = "Media"
    least = 2

    id = serializers.IntegerField(required=False, min_value=1, help_text="The mrdId")
    uri = serializers.CharField(required=False, help_text="Or the path of the Media")
    state = serializers.ChoiceField(
        choices=["LOGIN", *requestable(MEDIA_STATES)], required=False, help_text="As above"
    )
    reasonCodeId = serializers.IntegerField(required=False, min_value=1, help_text="As above")
    routable = serializers.BooleanField(required=False, help_text="As above")
    maxDialogLimit = serializers.IntegerField(
        min_value=1, max_value=_LARGEST, required=False, help_text="With LOGIN"
    )
    interruptAction = serializers.ChoiceField(
        choices=InterruptAction.values, required=False, help_text="With LOGIN"
    )
    dialogLogoutAction = serializers.ChoiceField(
        choices=DialogLogoutAction.values, required=False, help_text="With LOGIN"
    )


class MediaPutListSerializer(XMLSerializer):
    """Several at once; all are accepted or none. No page shows it: our reading."""

    element = "MediaList"
    example = (
        "<MediaList><Media><id>5001</id><state>READY</state></Media>"
        "<Media><uri>/finesse/api/User/1234/Media/5000</uri><routable>false</routable></Media>"
        "</MediaList>"
    )

    Media = MediaOfListSerializer(  # type: ignore[call-arg]
        many=True, min_length=1, help_text="One at least"
    )


class DialogsSerializer(XMLSerializer):
    """The user's calls or tasks: always empty, since this service routes neither."""

    element = "Dialogs"
    example = "<Dialogs></Dialogs>"

    Dialog = serializers.ListField(
        child=serializers.CharField(), required=False, max_length=0, help_text="None"
    )


# --- notifications ------------------------------------------------------------------------------


class MediaUpdateDataSerializer(XMLSerializer):
    """The whole Media as it is now, or the error."""

    Media = MediaSerializer(required=False)
    apiErrors = AsynchronousErrorsSerializer(required=False)


class MediaUpdateSerializer(UpdateSerializer):
    """A Media has changed, or a request about it has failed."""

    example = """<Update>
  <data>
    <Media>
      <uri>/finesse/api/User/1234/Media/5001</uri>
      <description>E-mails from customers</description>
      <dialogLogoutAction>CLOSE</dialogLogoutAction>
      <id>5001</id>
      <interruptible>true</interruptible>
      <maxDialogLimit>5</maxDialogLimit>
      <name>Email</name>
      <reasonCodeId>-1</reasonCodeId>
      <routable>true</routable>
      <state>READY</state>
      <stateChangeTime>2015-09-11T06:55:14.782Z</stateChangeTime>
      <interruptAction>ACCEPT</interruptAction>
    </Media>
  </data>
  <event>PUT</event>
  <requestId></requestId>
  <source>/finesse/api/User/1234/Media/5001</source>
</Update>"""

    data = MediaUpdateDataSerializer()  # type: ignore[assignment]


MEDIA_NOTIFICATION = Notification(
    name="Media",
    node=nodes.MEDIA,
    source=nodes.MEDIA + "/{mrdId}",
    page="Media Notification",
    events={
        "PUT": "State, reason, mode, options or the MRD itself have changed; and errors",
        "POST": "The user was assigned to the MRD",
        "DELETE": "The user is no longer assigned to it",
    },
    update=MediaUpdateSerializer,
)
