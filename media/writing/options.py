"""What an installation has decided by settings about sign-outs and about changes that wait."""

from django.conf import settings

_VOICE_ONLY = "1"
"""The value of FINESSE_USER_SIGNOUT_CHANNEL with which signing out of the desktop leaves the MRDs
alone."""


def signs_out_of_mrds() -> bool:
    """Whether a sign-out of the desktop signs out of all MRDs, too, unless it says otherwise."""
    return bool(settings.FINESSE_USER_SIGNOUT_CHANNEL != _VOICE_ONLY)


def lets_requests_wait() -> bool:
    """Whether a request of the API waits that the rules refuse now, or that finds no place."""
    return bool(settings.FINESSE_AFTER_THIS_ONE)
