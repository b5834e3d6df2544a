"""The `<SystemInfo>` document, for the API's answer and for the notification.

It contains every documented element, in alphabetical order; an element is empty if this service has
no value for it. The worker, which applies the requests, stands for the CTI server of the pages.
"""

import socket
from math import ceil
from typing import Any

from django.conf import settings
from django.db.models import TextChoices
from django.utils import timezone

from finesse import heartbeat
from finesse.api.xml import timestamp


class Status(TextChoices):
    """The values of `status` that this service uses [SystemInfo API Parameters]."""

    IN_SERVICE = "IN_SERVICE", "in service"
    OUT_OF_SERVICE = "OUT_OF_SERVICE", "out of service"


def represent(*, host: str = "", https_port: str = "") -> dict[str, Any]:
    """The children of `<SystemInfo>` as of now; host and port are those of the caller's URL."""
    pulse = heartbeat.pulse()
    beat = pulse.beats.get(heartbeat.WORKER)
    worker_beats = beat is not None and heartbeat.WORKER not in pulse.faults
    xmpp_domain = settings.FINESSE_XMPP_DOMAIN
    return {
        # In whole seconds [SystemInfo API Parameters].
        "ctiHeartbeatInterval": ceil(settings.CELERY_BEAT_SCHEDULE["sweep"]["schedule"]),
        "ctiServers": None,
        "ctiVersion": None,
        "currentTimestamp": timestamp(timezone.now()),
        "deploymentType": "UCCE",
        "lastCTIHeartbeatStatus": "success" if worker_beats else "failure",
        # Milliseconds since 1970, unlike all other times [SystemInfo API Parameters].
        "lastSuccessCTIHeartbeatTime": None if beat is None else int(beat * 1000),
        "license": None,
        "peripheralId": None,
        "primaryNode": _primary_node(host, https_port),
        "secondaryNode": {"host": None},
        "status": Status.OUT_OF_SERVICE.value if pulse.faults else Status.IN_SERVICE.value,
        "statusReason": ", ".join(f"{part} {fault}" for part, fault in pulse.faults.items()),
        "systemAuthMode": "NON_SSO",
        "timezoneOffset": _offset_minutes(),
        "uri": "/finesse/api/SystemInfo",
        "xmppDomain": xmpp_domain,
        "xmppPubSubDomain": f"pubsub.{xmpp_domain}",
    }


def _primary_node(host: str, https_port: str) -> dict[str, Any]:
    # XMPP over WebSocket is served on the HTTPS port; these are ports of the XMPP server.
    has_xmpp_server = bool(settings.FINESSE_XMPP_SECRET)
    return {
        "host": settings.FINESSE_HOST or host or socket.gethostname(),
        "httpsPort": https_port,
        "xmppPort": settings.FINESSE_XMPP_PORT if has_xmpp_server else None,
        "xmppSecurePort": settings.FINESSE_XMPP_SECURE_PORT if has_xmpp_server else None,
    }


def _offset_minutes() -> int:
    offset = timezone.localtime().utcoffset()
    return int(offset.total_seconds() // 60) if offset else 0
