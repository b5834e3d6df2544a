"""The exact body of each error, with examples in its placeholders."""

from finesse.api.errors import MRD_NOT_FOUND, NAMES, ErrorRow, FinesseError
from finesse.api.xml import render

MRD = "5001"
USER = "1234"
_VALUES = {
    "user": USER,
    "resource": "/finesse/api/Medium",
    "team": "7",
    "mrd": "5009",
    "id": "4711",
    "method": "POST",
    "reason": "The body is not well-formed XML",
    "parameter": "maxDialogLimit",
    "object": "media",
    "limit": "100",
    "scope": "global",
}
_OTHER_VALUES = {
    "AUTHENTICATION_FAILURE": {"user": "1235"},
    "USER_NOT_FOUND": {"user": "9999"},
    "INVALID_SUPERVISOR": {"user": "1300"},
    "REASON_CODE_DUPLICATE": {"parameter": "label"},
}


def sample(row: ErrorRow) -> FinesseError:
    """The error with examples in its placeholders."""
    values = {**_VALUES, **_OTHER_VALUES.get(NAMES[row], {})}
    return FinesseError(row, headers={}, values=values)


def error_document(row: ErrorRow, *, with_media: bool) -> str:
    """The body of the HTTP answer; `with_media` where the path names an MRD."""
    error = sample(row)
    media = error.data if row is MRD_NOT_FOUND else MRD
    return render(error.body(media=media if with_media else None), pretty=True)


def error_update(row: ErrorRow, *, about_media: bool = True) -> str:
    """The same error as a notification after the 202."""
    error = sample(row)
    source = f"/finesse/api/User/{USER}"
    if about_media:
        source += f"/Media/{MRD}"
    update = {
        "data": error.notification_data(media=MRD if about_media else None),
        "event": "PUT",
        "requestId": "r-1",
        "source": source,
    }
    return render({"Update": update}, pretty=True)
