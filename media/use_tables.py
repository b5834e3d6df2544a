"""How often each reason code was used: counts that pages read instead of the history."""

from django.db import models
from django.db.models import Q

from reasoncodes.models import ReasonCode


class UseOnDay(models.Model):
    """The use of a reason code on one day, by UTC: a day is the same wherever it is counted."""

    reason_code = models.ForeignKey(
        ReasonCode, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    day = models.DateField()
    uses = models.PositiveIntegerField(default=0)
    """Intervals that began on it."""
    agents = models.PositiveIntegerField(default=0)
    """Users who have used it last on this day: the sum over some days up to now is the number of
    those who have used it on any of them, each counted once."""

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("reason_code", "day"), name="use_on_day_once"),
        )

    def __str__(self) -> str:
        return f"{self.reason_code_id} on {self.day}: {self.uses}"


class LastUse(models.Model):
    """The last day on which a user has used a reason code."""

    reason_code = models.ForeignKey(
        ReasonCode, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    login_id = models.CharField(max_length=64)
    day = models.DateField(db_index=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("reason_code", "login_id"), name="last_use_once"),
        )

    def __str__(self) -> str:
        return f"{self.reason_code_id} by {self.login_id} on {self.day}"


class UseHead(models.Model):
    """The one row that says how far the history is counted. Processes that count lock it."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    interval = models.PositiveBigIntegerField(default=0)
    """The id of the last interval that is counted, whether or not it still exists."""

    class Meta:
        constraints = (models.CheckConstraint(condition=Q(id=1), name="usehead_is_one_row"),)

    def __str__(self) -> str:
        return f"counted up to interval {self.interval}"
