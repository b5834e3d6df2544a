"""The document of SystemInfo, for the description only [SystemInfo API Parameters]."""

from rest_framework import serializers

from finesse.api.description import Notification, XMLSerializer
from finesse.api.serializers import UpdateSerializer
from finesse.status.system_info import Status

_EMPTY = "Empty: there is nothing true to say"


class PrimaryNodeSerializer(XMLSerializer):
    """This server."""

    host = serializers.CharField(help_text="Its name, as configured or as asked")
    httpsPort = serializers.IntegerField(allow_null=True, help_text="Empty without TLS")
    xmppPort = serializers.IntegerField(
        allow_null=True, help_text="Of the XMPP server, with STARTTLS; empty where there is none"
    )
    xmppSecurePort = serializers.IntegerField(
        allow_null=True, help_text="Of the XMPP server, with TLS; empty where there is none"
    )


class SecondaryNodeSerializer(XMLSerializer):
    """There is none."""

    host = serializers.CharField(help_text=_EMPTY)


class SystemInfoSerializer(XMLSerializer):
    """What the service is and whether it is in service."""

    element = "SystemInfo"
    example = """<SystemInfo>
  <ctiHeartbeatInterval>1</ctiHeartbeatInterval>
  <ctiServers></ctiServers>
  <ctiVersion></ctiVersion>
  <currentTimestamp>2015-09-11T06:55:14.782Z</currentTimestamp>
  <deploymentType>UCCE</deploymentType>
  <lastCTIHeartbeatStatus>success</lastCTIHeartbeatStatus>
  <lastSuccessCTIHeartbeatTime>1441954514100</lastSuccessCTIHeartbeatTime>
  <license></license>
  <peripheralId></peripheralId>
  <primaryNode>
    <host>finesse.example</host>
    <httpsPort></httpsPort>
    <xmppPort></xmppPort>
    <xmppSecurePort></xmppSecurePort>
  </primaryNode>
  <secondaryNode>
    <host></host>
  </secondaryNode>
  <status>IN_SERVICE</status>
  <statusReason></statusReason>
  <systemAuthMode>NON_SSO</systemAuthMode>
  <timezoneOffset>0</timezoneOffset>
  <uri>/finesse/api/SystemInfo</uri>
  <xmppDomain>finesse.example</xmppDomain>
  <xmppPubSubDomain>pubsub.finesse.example</xmppPubSubDomain>
</SystemInfo>"""

    ctiHeartbeatInterval = serializers.IntegerField(allow_null=True, help_text="Seconds")
    ctiServers = serializers.CharField(help_text=_EMPTY)
    ctiVersion = serializers.CharField(help_text=_EMPTY)
    currentTimestamp = serializers.DateTimeField(help_text="The server's time, UTC")
    deploymentType = serializers.ChoiceField(choices=["UCCE"], help_text="Always UCCE")
    lastCTIHeartbeatStatus = serializers.ChoiceField(
        choices=["success", "failure"], help_text="Whether the writer's heart beats"
    )
    lastSuccessCTIHeartbeatTime = serializers.IntegerField(
        allow_null=True, help_text="When it beat last, in milliseconds since 1970; empty if never"
    )
    license = serializers.CharField(help_text=_EMPTY)
    peripheralId = serializers.CharField(help_text=_EMPTY)
    primaryNode = PrimaryNodeSerializer()
    secondaryNode = SecondaryNodeSerializer()
    status = serializers.ChoiceField(
        choices=Status.values,
        help_text="Out of service, every other call is answered 503",
    )
    statusReason = serializers.CharField(help_text="What is wrong; empty in service")
    systemAuthMode = serializers.ChoiceField(choices=["NON_SSO"], help_text="HTTP Basic")
    timezoneOffset = serializers.IntegerField(help_text="Minutes, of the server's time zone")
    uri = serializers.CharField(help_text="Its path")
    xmppDomain = serializers.CharField(help_text="Of XMPP addresses: <login id>@<this domain>")
    xmppPubSubDomain = serializers.CharField(help_text="Where XMPP clients find notifications")


class SystemInfoUpdateDataSerializer(XMLSerializer):
    """SystemInfo as it is now."""

    systemInfo = SystemInfoSerializer()


class SystemInfoUpdateSerializer(UpdateSerializer):
    """The service has gone out of service, or has come back."""

    example = """<Update>
  <data>
    <systemInfo>
      …
      <status>OUT_OF_SERVICE</status>
      …
    </systemInfo>
  </data>
  <event>PUT</event>
  <requestId></requestId>
  <source>/finesse/api/SystemInfo</source>
</Update>"""

    data = SystemInfoUpdateDataSerializer()  # type: ignore[assignment]


SYSTEM_INFO_NOTIFICATION = Notification(
    name="SystemInfo",
    node="/finesse/api/SystemInfo",
    source="/finesse/api/SystemInfo",
    page="SystemInfo Notification",
    events={"PUT": "The status has changed"},
    update=SystemInfoUpdateSerializer,
)
