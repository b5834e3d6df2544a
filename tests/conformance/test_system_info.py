"""SystemInfo: the status of the service."""

import re

from kit.client import TIMESTAMP, Caller
from kit.documents import document
from kit.evidence import Node
from kit.pages import CAPTURE, SAMPLES, SYSTEM_INFO, SYSTEM_INFO_PARAMETERS
from kit.statements import choice, statement

ELEMENTS = (
    "ctiHeartbeatInterval",
    "ctiServers",
    "ctiVersion",
    "currentTimestamp",
    "deploymentType",
    "lastCTIHeartbeatStatus",
    "lastSuccessCTIHeartbeatTime",
    "license",
    "peripheralId",
    "primaryNode",
    "secondaryNode",
    "status",
    "statusReason",
    "systemAuthMode",
    "timezoneOffset",
    "uri",
    "xmppDomain",
    "xmppPubSubDomain",
)


def system_info(nobody: Caller) -> Node:
    return nobody.get("SystemInfo").is_xml().document("SystemInfo")


@statement(
    "SystemInfo is read without credentials, and has the documented elements",
    SYSTEM_INFO,
    SYSTEM_INFO_PARAMETERS,
    SAMPLES,
)
def test_elements(nobody: Caller) -> None:
    shown = system_info(nobody).has_all(*ELEMENTS)
    for name in ("primaryNode", "secondaryNode"):
        shown.child(name).child("host")


@choice("It has no other elements, and they come by the alphabet", CAPTURE)
def test_order(nobody: Caller) -> None:
    system_info(nobody).has_in_order(*ELEMENTS)


@statement("A service that serves is IN_SERVICE, with a successful heartbeat", SYSTEM_INFO)
def test_status(nobody: Caller) -> None:
    shown = system_info(nobody)
    shown.has(status="IN_SERVICE", lastCTIHeartbeatStatus="success", uri="/finesse/api/SystemInfo")


@statement("It tells the time in UTC and the time zone's offset in minutes", CAPTURE, SYSTEM_INFO)
def test_time(nobody: Caller) -> None:
    shown = system_info(nobody)
    if not TIMESTAMP.fullmatch(shown.text("currentTimestamp")):
        shown.fail("a time in <currentTimestamp>", shown.text("currentTimestamp"))
    if not re.fullmatch(r"-?\d{1,3}", shown.text("timezoneOffset")):
        shown.fail("minutes in <timezoneOffset>", shown.text("timezoneOffset"))
    shown.has(deploymentType="UCCE")


@choice("It is read only", SYSTEM_INFO)
def test_read_only(admin: Caller) -> None:
    body = document("SystemInfo", status="OUT_OF_SERVICE")
    for answer in (admin.put("SystemInfo", body), admin.delete("SystemInfo")):
        answer.refuses(405, "Method Not Allowed")
