"""The documents of Team, for the description only. Facts from [Team]."""

from rest_framework import serializers

from finesse.api.description import Notification, XMLSerializer
from finesse.api.fields import IdField, WrappedListField
from finesse.api.serializers import UpdateSerializer
from finesse.notifications import nodes
from media.desktop.fields import TeamUriField
from media.desktop.serializers import UserSummarySerializer


class TeamSerializer(XMLSerializer):
    """A team with its users [Team]."""

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

    uri = TeamUriField(help_text="Its path")
    id = IdField(help_text="Its id")
    name = serializers.CharField(help_text="Its name")
    users = WrappedListField(
        child=UserSummarySerializer(), help_text="Its members, sorted by login id"
    )


class TeamUpdateDataSerializer(XMLSerializer):
    """The user who has changed, or who has joined or left the team [Team Notification]."""

    forms = (("user",), ("users",))

    user = UserSummarySerializer(help_text="With PUT")
    users = WrappedListField(
        child=UserSummarySerializer(), help_text="With POST and DELETE; it contains one user"
    )


class TeamUpdateSerializer(UpdateSerializer):
    """A user of the team has changed, has joined it or has left it [Team Notification]."""

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
        "PUT": "A user of the team has changed; the same change as in the User notification",
        "POST": "A user has joined the team: the data is <users>, the source this node (ours)",
        "DELETE": "A user has left the team or was deleted: <users> and the source as with POST",
    },
    update=TeamUpdateSerializer,
)
