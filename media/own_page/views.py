"""What the agent's own page shows, and what became of a request that it sent."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from media.own_page.outcomes import outcome_of
from media.own_page.present import present
from reasoncodes.languages import asked_for


@never_cache
@require_safe
def own_page(request: HttpRequest) -> HttpResponse:
    """One's own Media and desktop as of `position`, and what may be asked for; 401 when the session
    has ended. The notifications after `position` are exactly the changes that it does not show."""
    if not request.user.is_authenticated:
        return _refused()
    return JsonResponse(present(request.user, asked_for(request.META)))


@never_cache
@require_safe
def outcome(request: HttpRequest) -> HttpResponse:
    """What became of one's own request with this `requestId`; for a page that was not told."""
    if not request.user.is_authenticated:
        return _refused()
    return JsonResponse(outcome_of(str(request.user.pk), request.GET.get("requestId", "")))


def _refused() -> HttpResponse:
    return JsonResponse({"error": "Sign in again"}, status=401)
