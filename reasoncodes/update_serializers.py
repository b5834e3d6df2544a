"""The notifications about lists of reason codes, for the description only. They are ours."""

from finesse.api.description import Notification, XMLSerializer
from finesse.api.serializers import UpdateSerializer
from finesse.notifications import nodes
from reasoncodes.serializers import ReasonCodeSerializer


class ReasonCodeUpdateDataSerializer(XMLSerializer):
    """The reason code that was added, has changed or was taken out."""

    ReasonCode = ReasonCodeSerializer()


class ReasonCodeUpdateSerializer(UpdateSerializer):
    """A list of reason codes has changed. Only the socket for viewers sends it."""

    example = """<Update>
  <data>
    <ReasonCode>
      <uri>/finesse/api/ReasonCode/1001</uri>
      <id>1001</id>
      <category>NOT_READY</category>
      <code>1</code>
      <label>Lunch</label>
      <forAll>true</forAll>
      <systemCode>false</systemCode>
    </ReasonCode>
  </data>
  <event>PUT</event>
  <requestId></requestId>
  <source>/finesse/api/ReasonCode/1001</source>
</Update>"""

    data = ReasonCodeUpdateDataSerializer()  # type: ignore[assignment]


_EVENTS = {
    "PUT": "A reason code of the list has another code, label or meaning",
    "POST": "A reason code is offered from now on: it is new, brought back or newly assigned",
    "DELETE": "A reason code is no longer offered: retired, deleted or assigned to others",
}
REASON_CODES_NOTIFICATION = Notification(
    name="ReasonCodes",
    node=nodes.REASON_CODES,
    source="/finesse/api/ReasonCode/{id}",
    page="ReasonCode",
    events=_EVENTS,
    update=ReasonCodeUpdateSerializer,
)
TEAM_REASON_CODES_NOTIFICATION = Notification(
    name="TeamReasonCodes",
    node=nodes.TEAM_REASON_CODES,
    source="/finesse/api/ReasonCode/{id}",
    page="ReasonCode",
    events=_EVENTS,
    update=ReasonCodeUpdateSerializer,
)
