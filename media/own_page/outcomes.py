"""What became of a request, for a page to which no notification of it has come."""

from datetime import timedelta

from django.utils import timezone

from media.models import MediaRequest

FOUND_MINUTES = 15
"""A page asks within seconds; a lost connection may take minutes. The time bounds the rows read:
requestIds have no index, as no client of Finesse looks one up."""


def outcome_of(login_id: str, request_id: str) -> dict[str, object]:
    """`known` says whether it was accepted; `outcome` is one of `media.models.Outcome`, None while
    it waits; `error` is the errorMessage in which it ended, or empty.

    One's own requests are found, not those that others have made for one.
    """
    since = timezone.now() - timedelta(minutes=FOUND_MINUTES)
    # PostgreSQL cannot compare text with a NUL.
    asked = "" if "\0" in request_id else request_id
    found = MediaRequest.objects.filter(
        accepted_at__gte=since, login_id=login_id, actor=login_id, request_id=asked
    )
    request = found.exclude(request_id="").order_by("-id").first()
    if request is None:
        return {"known": False, "outcome": None, "error": ""}
    return {"known": True, "outcome": request.outcome, "error": request.error}
