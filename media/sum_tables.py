"""The time in each state, by hour and team and by day and agent: sums that reports read instead of
the history. `media.reports.making` makes them from it."""

from django.db import models
from django.db.models import Q


class SumOfStays(models.Model):
    """What the stays in one team, MRD, state and reason come to in one hour or day.

    Times are microseconds. Stays are told apart by where they begin, so that longer times can be
    made of short ones: a stay that goes on from one into the next is in each, but counts once.
    """

    team_id = models.BigIntegerField(null=True)
    mrd_id = models.PositiveIntegerField()
    state = models.CharField(max_length=16)
    reason_code_id = models.BigIntegerField(null=True)
    micros = models.PositiveBigIntegerField()
    """The time that they spent in this hour or day."""
    began = models.PositiveIntegerField()
    """Stays that began in this time."""
    running = models.PositiveIntegerField()
    """Stays that went on into it."""
    longest = models.PositiveBigIntegerField()
    """Of the longest of them, from its own beginning until its end or the end of this time."""
    over_began = models.PositiveIntegerField()
    """Stays that went over the maximum of their reason in this time."""
    over_running = models.PositiveIntegerField()
    """Stays that were over it already."""
    over_micros = models.PositiveBigIntegerField()

    class Meta:
        abstract = True


class SumOfHour(SumOfStays):
    """Of a team in one hour."""

    hour = models.PositiveIntegerField()
    """Hours since 1970, in UTC."""

    class Meta:
        indexes = (
            # For the whole installation, and for single teams.
            models.Index(fields=("hour",), name="sum_of_hour"),
            models.Index(fields=("team_id", "hour"), name="sum_of_hour_of_team"),
        )

    def __str__(self) -> str:
        return f"hour {self.hour}: {self.state} in {self.mrd_id}"


class SumOfDay(SumOfStays):
    """Of an agent on one day. By the hour they would be more rows than the history."""

    day = models.PositiveIntegerField()
    """Days since 1970, in UTC."""
    login_id = models.CharField(max_length=64)

    class Meta:
        indexes = (
            # For the whole installation, for single teams, and for single agents.
            models.Index(fields=("day",), name="sum_of_day"),
            models.Index(fields=("team_id", "day"), name="sum_of_day_of_team"),
            models.Index(fields=("login_id", "day"), name="sum_of_day_of_agent"),
        )

    def __str__(self) -> str:
        return f"day {self.day}: {self.state} of {self.login_id} in {self.mrd_id}"


class StaleHour(models.Model):
    """An hour whose sums, and those of its day, are to be made again: its past has changed."""

    hour = models.PositiveIntegerField(primary_key=True)

    def __str__(self) -> str:
        return f"hour {self.hour}"


class SumHead(models.Model):
    """The one row that says for which time there are sums. Processes that make sums lock it."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    since = models.PositiveIntegerField(default=0)
    """The first hour."""
    upto = models.PositiveIntegerField(default=0)
    """The hour before which those by the hour end."""
    days = models.PositiveIntegerField(default=0)
    """The day before which those by the day end; they begin with the first whole one."""
    correction = models.PositiveBigIntegerField(default=0)
    """The id of the last correction of an interval that they know of."""
    version = models.PositiveBigIntegerField(default=0)
    """Counts the changes of the sums: what was read while it changed is read again."""

    class Meta:
        constraints = (models.CheckConstraint(condition=Q(id=1), name="sumhead_is_one_row"),)

    def __str__(self) -> str:
        return f"hours {self.since} to {self.upto}"
