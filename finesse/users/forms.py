"""The forms with which people sign in."""

from typing import Any

from django.conf import settings
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth.forms import AuthenticationForm
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils.html import format_html

_REFUSED = (
    "This login ID and password do not belong together. After "
    f"{settings.FINESSE_LOCKOUT_FAILURES} wrong passwords, signing in with this login ID from here "
    f"is blocked for {settings.FINESSE_LOCKOUT_SECONDS // 60} minutes; then the right one is "
    "refused, too."
)


class SignInForm(AuthenticationForm):
    """Says the rule of the lock-out to everybody who fails, blocked or not."""

    error_messages = {**AuthenticationForm.error_messages, "invalid_login": _REFUSED}


class AdminSignInForm(AdminAuthenticationForm):
    """The sign-in of the administration, where nobody can choose a new password."""

    error_messages = {
        **AdminAuthenticationForm.error_messages,
        "invalid_login": f"{_REFUSED} Only supervisors and administrators may sign in here.",
    }

    def confirm_login_allowed(self, user: Any) -> None:
        super().confirm_login_allowed(user)
        if user.must_change_password:
            elsewhere = reverse("login", query={"next": reverse("admin:index")})
            raise ValidationError(
                format_html(
                    "You have to choose a new password first. "
                    '<a href="{}">Sign in on the viewer’s page</a>, which asks for it.',
                    elsewhere,
                ),
                code="must_change_password",
            )
