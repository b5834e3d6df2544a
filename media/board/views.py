"""The viewer's pages: who is in which state, and the stream of notifications."""

from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Any, cast

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.shortcuts import render as render_template
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from finesse.notifications import log
from finesse.notifications.models import Notification
from finesse.notifications.nodes import TEAM
from finesse.notifications.places import BEGINNING, Place
from finesse.notifications.readers import Reader, readers_of
from finesse.users.forms import SignInForm
from finesse.users.models import User
from finesse.users.views import ask_for_new_password
from media.board.meanings import meanings
from media.board.rows import rows
from media.breaks.shown import limits_now
from media.state_words import state_word
from media.states import State
from reasoncodes.languages import asked_for

RECENT = 50
"""Notifications from before the page was opened that its stream begins with."""
_UNAVAILABLE = (State.NOT_READY, State.LOGOUT)
STATES_IN_ORDER = [*(state for state in State if state not in _UNAVAILABLE), *_UNAVAILABLE]
"""The order in which the board counts and sorts: agents who are not available come last."""
_STATES = [(state.value, state_word(state)) for state in STATES_IN_ORDER]


_PARTS = ("board", "own_page", "supervision")
_OTHER = ("load-again", "session-goes-on", "signed-out")
"""Scripts of other pages, and the one that stands before the modules."""


class SignIn(LoginView):
    """The viewer's own sign-in page, which agents may use; the admin's is for staff."""

    form_class = SignInForm
    redirect_authenticated_user = True

    def form_valid(self, form: Any) -> HttpResponse:
        user = form.get_user()
        if user.must_change_password:
            return ask_for_new_password(self.request, user, then=self.get_redirect_url())
        return super().form_valid(form)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(demo=settings.FINESSE_DEMO, **kwargs)


@never_cache
@require_safe
@login_required
def viewer(request: HttpRequest) -> HttpResponse:
    role = cast(User, request.user).role
    is_wall = request.GET.get("wall") == "1"
    context = {"role": role, "states": _STATES, "wall": is_wall, "modules": _modules()}
    return render_template(request, "board/viewer.html", context)


@cache
def _modules() -> list[str]:
    """The page's scripts, so that browsers need not find them by reading one after the other."""
    media = Path(__file__).parents[1]
    found = [one for part in _PARTS for one in (media / part / "static" / part).glob("*.js")]
    return sorted(f"{one.parent.name}/{one.name}" for one in found if one.stem not in _OTHER)


@never_cache
@require_safe
def board(request: HttpRequest) -> HttpResponse:
    """All that the user may see, as of `position`; 401 when the session has ended.

    The notifications after `position` are exactly the changes that the board does not show.
    A person who types this address means the page: a script does not ask for HTML.
    """
    if "text/html" in request.headers.get("Accept", ""):
        return redirect("viewer")
    if not request.user.is_authenticated:
        return _refused()
    # Before the Media: a change that comes between the two is shown twice, never missed.
    here = log.head().place
    reader = readers_of([request.user.pk]).get(request.user.pk)
    if reader is None:
        # The user was deactivated after the session was looked up.
        return _refused()
    return JsonResponse(
        {
            "user": request.user.pk,
            "position": here.number,
            "replayFrom": _replay_from(reader, here).number,
            **rows(reader),
            "reasonCodes": meanings(request.user, asked_for(request.META)),
            "limits": limits_now(reader.watches),
        }
    )


@never_cache
@require_safe
def reason_codes(request: HttpRequest) -> HttpResponse:
    """What the reason codes mean, as in the board: for a page that is told of a change."""
    if not request.user.is_authenticated:
        return _refused()
    return JsonResponse({"reasonCodes": meanings(request.user, asked_for(request.META))})


@never_cache
@require_POST
def session(request: HttpRequest) -> HttpResponse:
    """Let the session begin its time anew: for a board on a wall, where nobody signs in again."""
    if not request.user.is_authenticated:
        return _refused()
    request.session.modified = True
    return HttpResponse(status=HTTPStatus.NO_CONTENT)


def _refused() -> HttpResponse:
    return JsonResponse({"error": "Sign in again"}, status=401)


def _replay_from(reader: Reader, here: Place) -> Place:
    """The place behind which the last `RECENT` visible notifications are."""
    if reader.nodes is None:
        written = Notification.objects.filter(position__lte=here.position)
        recent = written.exclude(node__startswith=TEAM).order_by("-position")[:RECENT]
        places = [one.place for one in recent.only("position", "check_digits")]
    else:
        found = log.newest(reader.nodes, before=here.position + 1, limit=RECENT)
        places = [one.place for one in found]
    if not places:
        return here
    first = min(places)
    before = Notification.objects.filter(position=first.position - 1).first()
    # If the one before it was pruned, the first one stands for that.
    return before.place if before else BEGINNING if first.position == 1 else first
