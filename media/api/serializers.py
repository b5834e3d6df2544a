"""The documents of Media and MediaDomain that the server sends, for the description only.

Facts from [Media API Parameters].
"""

from rest_framework import serializers

from finesse.api.description import Notification, XMLSerializer
from finesse.api.fields import BooleanField, MrdIdField, TimestampField
from finesse.api.serializers import AsynchronousErrorsSerializer, UpdateSerializer
from finesse.notifications import nodes
from media.api.fields import (
    STATE_CHANGE_TIME,
    DialogLogoutActionField,
    InterruptActionField,
    MaxDialogLimitField,
    MediaDomainUriField,
    MediaStateField,
    MediaUriField,
)
from reasoncodes.serializers import MediaReasonCodeSerializer, ReasonCodeIdOrNoneField


class MediaDomainSerializer(XMLSerializer):
    """A Media Routing Domain (MRD). No page prints the elements: our reading
    [Release Notes 12.6(2): Finesse]."""

    element = "MediaDomain"
    example = """<MediaDomain>
  <uri>/finesse/api/MediaDomain/5001</uri>
  <description>E-mails from customers</description>
  <id>5001</id>
  <interruptible>true</interruptible>
  <name>Email</name>
</MediaDomain>"""

    uri = MediaDomainUriField(help_text="Its path")
    description = serializers.CharField(help_text="A text for people")
    id = MrdIdField(help_text="The mrdId of paths; 1 is voice")
    interruptible = BooleanField(
        help_text="Whether a task of another MRD may interrupt tasks of this one"
    )
    name = serializers.CharField(help_text="Its name")


class MediaDomainsSerializer(XMLSerializer):
    """All MRDs, sorted by id [Release Notes 12.6(2): Finesse]."""

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

    MediaDomain = MediaDomainSerializer(many=True, required=False)


class MediaSerializer(XMLSerializer):
    """One user in one MRD [Media API Parameters]. Only while the user is signed in, the element
    contains the three options of the sign-in. For a user who is not assigned to the MRD, it
    contains the five elements of the MRD only [Media - Get Media (task routing)]."""

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

    forms = (
        # The user is signed in.
        (
            "uri",
            "description",
            "dialogLogoutAction",
            "id",
            "interruptible",
            "maxDialogLimit",
            "name",
            "ReasonCode",
            "reasonCodeId",
            "routable",
            "state",
            "stateChangeTime",
            "interruptAction",
        ),
        # The user is signed out: the options are reliable only while signed in.
        (
            "uri",
            "description",
            "id",
            "interruptible",
            "name",
            "reasonCodeId",
            "routable",
            "state",
            "stateChangeTime",
        ),
        # The user is not assigned to the MRD.
        ("uri", "description", "id", "interruptible", "name"),
    )

    uri = MediaUriField(help_text="Its path")
    description = serializers.CharField(help_text="The MRD's description")
    dialogLogoutAction = DialogLogoutActionField(
        help_text="What happens to tasks at sign-out; while signed in"
    )
    id = MrdIdField(help_text="The MRD's id")
    interruptible = BooleanField(
        help_text="Whether a task of another MRD may interrupt tasks of this one"
    )
    maxDialogLimit = MaxDialogLimitField(help_text="Largest number of tasks; while signed in")
    name = serializers.CharField(help_text="The MRD's name")
    ReasonCode = MediaReasonCodeSerializer(
        required=False, help_text="The reason of NOT_READY, if one was chosen"
    )
    reasonCodeId = ReasonCodeIdOrNoneField(
        help_text="The database id of the reason code, or -1 for none"
    )
    routable = BooleanField(help_text="Whether tasks may be assigned to the user")
    state = MediaStateField(help_text="The present state")
    stateChangeTime = TimestampField(allow_null=True, help_text=STATE_CHANGE_TIME)
    interruptAction = InterruptActionField(
        help_text="Whether interruptions are accepted; while signed in"
    )


class MediaListSerializer(XMLSerializer):
    """The user's Media, sorted by the id of the MRD [Media - Get List]."""

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


class MediaUpdateDataSerializer(XMLSerializer):
    """The whole Media as it is now, or the error [Media Notification]."""

    forms = (("Media",), ("apiErrors",))

    Media = MediaSerializer()
    apiErrors = AsynchronousErrorsSerializer()


class MediaUpdateSerializer(UpdateSerializer):
    """A Media has changed, or a request about it has failed [Media Notification]."""

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
        "PUT": "The state, reason, mode, options or the MRD have changed, or a request has failed",
        "POST": "The user was assigned to the MRD",
        "DELETE": "The user is no longer assigned to it",
    },
    update=MediaUpdateSerializer,
)
