"""THE NODE TABLE: which streams of notifications exist [Subscription Management]."""

USER = "/finesse/api/User/{id}"
MEDIA = "/finesse/api/User/{id}/Media"
DIALOGS_MEDIA = "/finesse/api/User/{id}/Dialogs/Media"

OF_A_USER = (USER, MEDIA, DIALOGS_MEDIA)
"""The nodes about a user that this user is subscribed to without asking."""

SYSTEM_INFO = "/finesse/api/SystemInfo"
"""The one node that everybody is subscribed to."""


def nodes_of(login_id: str) -> tuple[str, ...]:
    return tuple(node.format(id=login_id) for node in OF_A_USER)
