"""The pages on which people look after their own accounts, in the viewer's look."""

from typing import Any, cast

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.decorators import login_required
from django.contrib.auth.password_validation import password_validators_help_texts
from django.contrib.auth.views import PasswordChangeView, RedirectURLMixin
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse, reverse_lazy
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe
from django.views.generic import FormView

from finesse.client_networks import origin_of_request
from finesse.users import sign_in_links, sign_ins
from finesse.users.models import User
from finesse.users.password_forms import ChosenPasswordForm, OwnPasswordForm

CHOOSING = "choosing"
"""The session's key of who may choose a password here: a login id and a token of its link."""


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def account(request: HttpRequest) -> HttpResponse:
    """Who one is here, where one is signed in, and the way out of everywhere else."""
    user = cast(User, request.user)
    if request.method == "POST" and "session" in request.POST:
        ended = sign_ins.end_one(user, request.POST["session"], request.session.session_key)
        messages.success(request, sign_ins.told_of(ended))
        return redirect("account")
    if request.method == "POST":
        with transaction.atomic():
            sign_ins.end_others(request, user)
        messages.success(request, "You are signed out everywhere but in this browser.")
        return redirect("account")
    context = {
        "role": user.role,
        "sign_ins": sign_ins.in_browsers(user, request.session.session_key),
        "has_client": sign_ins.has_client(user),
    }
    return render(request, "registration/account.html", context)


@method_decorator(never_cache, name="dispatch")
class ChangePassword(PasswordChangeView):
    """One's own password. What was opened with the old one ends, except for this browser."""

    form_class = OwnPasswordForm
    template_name = "registration/change_password.html"
    success_url = reverse_lazy("account")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(rules=password_validators_help_texts(), **kwargs)

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "origin": origin_of_request(self.request.META)}

    def form_valid(self, form: Any) -> HttpResponse:
        # At once: other tabs of this browser look at the session when the password has changed.
        with transaction.atomic():
            answer = super().form_valid(form)
            sign_ins.keep_this(self.request, form.user)
        messages.success(
            self.request,
            "Your password is changed. You are signed out everywhere but in this browser.",
        )
        return answer


def ask_for_new_password(request: HttpRequest, user: User, then: str) -> HttpResponse:
    """Lead a user who has proved to be `user` to the choice of a password, and to `then` after it.

    The session is nobody's meanwhile.
    """
    request.session.flush()
    request.session[CHOOSING] = [user.pk, sign_in_links.token_of(user)]
    return redirect(reverse("choose-password", query={"next": then}))


@never_cache
@require_safe
def open_link(request: HttpRequest, named: str, token: str) -> HttpResponse:
    """The link itself uses nothing up: programs that look at links in messages open them, too."""
    user = sign_in_links.user_of(sign_in_links.login_id_of(named), token)
    if user is None:
        return _void(request)
    # The address with the token stays neither in the browser nor in the Referer of a page.
    request.session.flush()
    request.session[CHOOSING] = [user.pk, token]
    return redirect("choose-password")


def _void(request: HttpRequest) -> HttpResponse:
    context = {"days": settings.FINESSE_SIGN_IN_LINK_DAYS}
    return render(request, "registration/link_is_void.html", context, status=410)


@method_decorator([never_cache, sensitive_post_parameters()], name="dispatch")
class ChoosePassword(RedirectURLMixin, FormView):  # type: ignore[type-arg]
    """The first password of one's own: by a sign-in link, or instead of one that was given."""

    form_class = ChosenPasswordForm
    template_name = "registration/choose_password.html"
    next_page = "viewer"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        login_id, token = request.session.get(CHOOSING) or ("", "")
        user = sign_in_links.user_of(login_id, token)
        if user is None:
            return _void(request)
        self.user = user
        return super().dispatch(request, *args, **kwargs)

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "user": self.user}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        more = {
            "person": self.user,
            "next": self.get_redirect_url(),
            "rules": password_validators_help_texts(),
        }
        return super().get_context_data(**more, **kwargs)

    def form_valid(self, form: Any) -> HttpResponse:
        user = form.save()
        del self.request.session[CHOOSING]
        sign_ins.forget_sessions(user)
        login(self.request, user)
        return super().form_valid(form)
