"""The document of SystemInfo, for the description only [SystemInfo API Parameters]."""

from rest_framework import serializers

from finesse.api.description import Notification, XMLSerializer
from finesse.api.fields import NamedChoiceField, NumberField, TimestampField, UriField
from finesse.api.serializers import UpdateSerializer
from finesse.status.system_info import Status

_EMPTY = "Always empty here"


class ServiceStatusField(NamedChoiceField):
    """Whether the service is in service [SystemInfo], [Cisco Finesse API Errors]. This server is
    never in PARTIAL_SERVICE."""

    values = (*Status.values, "PARTIAL_SERVICE")


class HeartbeatStatusField(NamedChoiceField):
    """Whether the last heartbeat succeeded [SystemInfo API Parameters]."""

    values = ("success", "failure")


class DeploymentTypeField(NamedChoiceField):
    """The product that Finesse belongs to [SystemInfo API Parameters]."""

    values = ("UCCE", "UCCX")


class SystemAuthModeField(NamedChoiceField):
    """How users authenticate: NON_SSO is HTTP Basic [SystemInfo API Parameters]."""

    values = ("NON_SSO",)


class SystemInfoUriField(UriField):
    """The path of SystemInfo [SystemInfo API Parameters]."""

    path = "/SystemInfo"


class PrimaryNodeSerializer(XMLSerializer):
    """This server [SystemInfo API Parameters]."""

    host = serializers.CharField(
        help_text="The configured name of the server, else the host of the request"
    )
    httpsPort = NumberField(allow_null=True, help_text="Empty without TLS")
    xmppPort = NumberField(
        allow_null=True, help_text="Of the XMPP server, with STARTTLS; empty if there is none"
    )
    xmppSecurePort = NumberField(
        allow_null=True, help_text="Of the XMPP server, with TLS; empty if there is none"
    )


class SecondaryNodeSerializer(XMLSerializer):
    """The second server of Finesse; this service has none [SystemInfo API Parameters]."""

    host = serializers.CharField(help_text=_EMPTY)


class SystemInfoSerializer(XMLSerializer):
    """What the service is, and whether it is in service [SystemInfo API Parameters]. Elements
    without a value are empty."""

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

    ctiHeartbeatInterval = NumberField(allow_null=True, help_text="Seconds")
    ctiServers = serializers.CharField(help_text=_EMPTY)
    ctiVersion = serializers.CharField(help_text=_EMPTY)
    currentTimestamp = TimestampField(help_text="The server's time, UTC")
    deploymentType = DeploymentTypeField(help_text="Always UCCE here")
    lastCTIHeartbeatStatus = HeartbeatStatusField(
        help_text="Whether the worker that applies the requests is alive"
    )
    lastSuccessCTIHeartbeatTime = NumberField(
        allow_null=True,
        help_text="The worker's last heartbeat, in milliseconds since 1970; empty if none",
    )
    license = serializers.CharField(help_text=_EMPTY)
    peripheralId = NumberField(allow_null=True, help_text=_EMPTY)
    primaryNode = PrimaryNodeSerializer()
    secondaryNode = SecondaryNodeSerializer()
    status = ServiceStatusField(
        help_text="While OUT_OF_SERVICE, every other call is answered with 503"
    )
    statusReason = serializers.CharField(
        help_text="The parts that are out of service; empty while IN_SERVICE"
    )
    systemAuthMode = SystemAuthModeField(help_text="HTTP Basic")
    timezoneOffset = serializers.IntegerField(help_text="Minutes, of the server's time zone")
    uri = SystemInfoUriField(help_text="The path of SystemInfo")
    xmppDomain = serializers.CharField(
        help_text="The domain of XMPP addresses: <login id>@<this domain>"
    )
    xmppPubSubDomain = serializers.CharField(
        help_text="The address of the service that publishes notifications over XMPP"
    )


class SystemInfoUpdateDataSerializer(XMLSerializer):
    """SystemInfo as it is now [SystemInfo Notification]."""

    systemInfo = SystemInfoSerializer()


class SystemInfoUpdateSerializer(UpdateSerializer):
    """The service has gone out of service, or is back in service [SystemInfo Notification]."""

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
