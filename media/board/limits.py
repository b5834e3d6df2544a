"""The limits that break rules set, for pages that are told that they have changed."""

from typing import cast

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from finesse.notifications.readers import readers_of
from finesse.users.models import User
from media.breaks.shown import limits_now, limits_of_agent


@never_cache
@require_safe
def limits(request: HttpRequest) -> HttpResponse:
    """`limits`: of all whom the user may see and who are in a reason with a time now, as in the
    board. `own`: of the reasons that the user may choose. 401 when the session has ended."""
    user = cast(User, request.user)
    reader = readers_of([user.pk]).get(user.pk) if request.user.is_authenticated else None
    if reader is None:
        return JsonResponse({"error": "Sign in again"}, status=401)
    return JsonResponse({"limits": limits_now(reader.watches), "own": limits_of_agent(user)})
