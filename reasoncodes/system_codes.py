"""The reason codes of the system [Manage Reason Codes (administration guide)].

They say why the system itself has changed an agent's state. They are part of every installation;
administrators see them, and nobody can choose them.
"""

import logging

from reasoncodes.models import Category, ReasonCode

logger = logging.getLogger(__name__)

SUPERVISOR_INITIATED = 999
"""The state was changed by a supervisor, in both categories."""
CONNECTION_FAILURE = 255
"""The user was signed out since its client was gone [Desktop Presence and Forced Logout]."""
FORCE_LOGOUT = 20002
"""The user was signed out by the system."""

PREFIXES = {Category.NOT_READY: "Not Ready - ", Category.LOGOUT: "Logged Out - "}
SYSTEM_CODES = {
    Category.NOT_READY: {
        SUPERVISOR_INITIATED: "Supervisor Initiated",
        20001: "Starting Force Logout",
        20003: "Agent Logout Request",
        32762: "Offhook",
        32767: "Call Not Answered",
        50002: "Connection Failure",
        50005: "Non ACD Busy",
        # The successor of 32762; two labels of a category are never the same.
        50006: "Offhook (12.5)",
        50010: "Call Overlap",
        50041: "Mobile Call Not Answered",
        50045: "Desktop Reconnect",
        65533: "Extension Modified",
        65534: "System Reset",
        65535: "System Reinitialized",
    },
    Category.LOGOUT: {
        CONNECTION_FAILURE: "Connection Failure",
        SUPERVISOR_INITIATED: "Supervisor Initiated",
        FORCE_LOGOUT: "Force Logout",
        50001: "System Disconnect",
        50002: "System Failure",
        50003: "Device Error",
        50004: "Inactivity Timeout",
        50020: "Queue Change",
        50030: "Device Conflict",
        50040: "Mobile Agent Call Fail",
        50042: "Mobile Agent Disconnect",
    },
}
LABELS = {
    (category.value, code): PREFIXES[category] + name
    for category, names in SYSTEM_CODES.items()
    for code, name in names.items()
}
"""The label of each, by category and code."""


def system_code(category: str, code: int) -> ReasonCode | None:
    """The system's reason code with this number; None where somebody has deleted it."""
    return ReasonCode.objects.filter(system_code=True, category=category, code=code).first()


def create_missing(using: str) -> None:
    """Create those that do not exist yet.

    If a reason code of the installation itself has the number or the label of one, that one is not
    created: an upgrade must neither fail for it nor rename what agents know. The log says which
    reason codes to renumber.
    """
    missing = LABELS.keys() - _present(using)
    if not missing:
        return
    made = (
        ReasonCode(category=category, code=code, label=LABELS[category, code], system_code=True)
        for category, code in sorted(missing)
    )
    ReasonCode.objects.using(using).bulk_create(made, ignore_conflicts=True)
    for category, code in sorted(missing - _present(using)):
        logger.warning(
            "The system's reason code %s %s could not be created: another reason code has this "
            "number or the label “%s”. Change that one, then migrate again.",
            category,
            code,
            LABELS[category, code],
        )


def _present(using: str) -> set[tuple[str, int]]:
    there = ReasonCode.objects.using(using).filter(system_code=True)
    return set(there.values_list("category", "code"))
