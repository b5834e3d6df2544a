"""Correcting the reason of an interval that is over; one that runs takes a request."""

from django.db.models import QuerySet

from finesse.users.access import managed_users
from finesse.users.models import User
from media.models import IntervalCorrection, StateInterval
from media.states import Requested, State
from media.supervision.reasons import Reasons
from reasoncodes.models import ReasonCode


def correctable_by(user: User) -> QuerySet[StateInterval]:
    """The intervals that the user may correct: NOT_READY, of agents that the user manages.

    Those of users who were deleted are for administrators.
    """
    intervals = StateInterval.objects.filter(state=State.NOT_READY)
    if user.is_superuser and user.may_sign_in:
        return intervals
    return intervals.filter(login_id__in=managed_users(user).values("pk"))


def reasons_for(interval: StateInterval) -> list[ReasonCode]:
    """The reasons of the agent's present list; of a deleted user, none."""
    agent = User.objects.filter(pk=interval.login_id).first()
    return [*Reasons(Requested.CORRECT_REASON).of(agent).values()] if agent else []


def corrections_of(interval: StateInterval) -> list[IntervalCorrection]:
    """In the order in which they were made; the last one counts."""
    return [*interval.corrections.order_by("pk")]
