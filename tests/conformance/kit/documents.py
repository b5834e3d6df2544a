"""Bodies of requests."""

from xml.etree.ElementTree import Element, SubElement, tostring

from kit.evidence import written


def document(root: str, **children: object) -> str:
    """`<root><child>text</child>…</root>`; children that are None are left out."""
    element = Element(root)
    for name, value in children.items():
        if value is not None:
            SubElement(element, name).text = written(value)
    return tostring(element, encoding="unicode")


def media(state: str | None = None, **children: object) -> str:
    return document("Media", state=state, **children)


def user(state: str | None = None, **children: object) -> str:
    return document("User", state=state, **children)


def sign_in(**children: object) -> str:
    """LOGIN with its options; an option that is None is left out."""
    return media("LOGIN", **{**OPTIONS, **children})


OPTIONS: dict[str, object] = {"maxDialogLimit": 5, "interruptAction": "IGNORE"}

MEDIA_ELEMENTS = (
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
)
"""The children of a `<Media>` as printed: alphabetical, but `uri` leads and one trails."""

LATER_MEDIA_ELEMENTS = ("mediaConnected", "finesseAssociated", "channel", "mediaClass")
"""What some releases show, too."""

PERIPHERAL_ERRORS = ("peripheralErrorCode", "peripheralErrorMsg", "peripheralErrorText")
"""What an error may say beside its four elements."""

USER_ELEMENTS = (
    "dialogs",
    "extension",
    "firstName",
    "lastName",
    "loginId",
    "loginName",
    "mediaType",
    "mobileAgent",
    "pendingState",
    "reasonCode",
    "reasonCodeId",
    "roles",
    "services",
    "settings",
    "skillTargetId",
    "state",
    "stateChangeTime",
    "teamId",
    "teamName",
    "teams",
    "uri",
)
