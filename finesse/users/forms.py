"""The forms with which people sign in."""

from django.conf import settings
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth.forms import AuthenticationForm

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
    error_messages = {
        **AdminAuthenticationForm.error_messages,
        "invalid_login": f"{_REFUSED} Only supervisors and administrators may sign in here.",
    }
