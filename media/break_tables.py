"""Break rules: how many at once, how long, and what happens then; and the stays that they bind."""

from datetime import timedelta

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q

from finesse.db.models import SavedWhole
from finesse.users.models import Team
from reasoncodes.models import DAY_MINUTES, Category, ReasonCode

MOST_PLACES = 999


class Then(models.TextChoices):
    """The state to which an agent is brought who stays over the time of a reason."""

    NOTHING = "nothing", "Nothing"
    READY = "ready", "Ready"
    NOT_READY = "not_ready", "Not ready, for another reason"
    SIGN_OUT = "sign_out", "Sign out"


class WhenFull(models.TextChoices):
    """What becomes of an agent who asks for a reason while all places at it are taken."""

    REFUSE = "refuse", "The next one is refused, and told so"
    QUEUE = "queue", "The next one may wait for a place, and is told when the turn comes"


def _minutes(name: str, least: int = 1) -> models.PositiveSmallIntegerField:  # type: ignore[type-arg]
    return models.PositiveSmallIntegerField(
        name,
        null=True,
        blank=True,
        validators=[MinValueValidator(least), MaxValueValidator(DAY_MINUTES)],
    )


class BreakRule(SavedWhole):
    """What holds for one reason for being not ready, in one team or in each of all teams.

    A team's own rule goes before the one for all teams, as a whole. All times are minutes; None
    stands for none.
    """

    team = models.ForeignKey(
        Team, on_delete=models.CASCADE, null=True, blank=True, related_name="+"
    )
    """None: all teams, each for itself; agents without a team are together like a team."""
    # What is configured for a code is no less than its use: it is not lost by an undo.
    reason_code = models.ForeignKey(
        ReasonCode, on_delete=models.PROTECT, related_name="+", verbose_name="reason"
    )
    most_at_once = models.PositiveSmallIntegerField(
        "most at once",
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(MOST_PLACES)],
    )
    """Agents of the team who may be in it at the same time."""
    when_full = models.CharField(
        # The database has the default, too: processes of the last version may write meanwhile.
        "when it is full",
        max_length=6,
        choices=WhenFull,
        default=WhenFull.REFUSE,
        db_default=WhenFull.REFUSE,
    )
    maximum_minutes = _minutes("longest stay")
    """Of one stay; None: the maximum time of the reason code, if that has one."""
    budget_minutes = _minutes("time a day")
    """Of all stays of an agent on one day."""
    time_zone = models.CharField(max_length=64, blank=True)
    """Where midnight ends the day of the budget; empty: the TIME_ZONE of the installation."""
    tell_agent_after = _minutes("tell the agent", least=0)
    """Minutes after the time is over, like the following."""
    tell_supervisors_after = _minutes("tell the supervisors", least=0)
    then = models.CharField(max_length=9, choices=Then, default=Then.NOTHING)
    then_after = _minutes("then", least=0)
    then_reason_code = models.ForeignKey(
        ReasonCode,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="other reason",
    )

    class Meta:
        verbose_name = "break rule"
        ordering = ("reason_code__label", F("team__name").asc(nulls_first=True))
        constraints = (
            models.UniqueConstraint(
                fields=("team", "reason_code"),
                condition=Q(team__isnull=False),
                name="breakrule_one_of_team",
                violation_error_message="This team has a rule for this reason already.",
            ),
            models.UniqueConstraint(
                fields=("reason_code",),
                condition=Q(team=None),
                name="breakrule_one_for_all",
                violation_error_message="There is a rule for this reason and all teams already.",
            ),
            models.CheckConstraint(condition=Q(then__in=Then), name="breakrule_then"),
            models.CheckConstraint(condition=Q(when_full__in=WhenFull), name="breakrule_when_full"),
            models.CheckConstraint(
                condition=Q(then=Then.NOTHING, then_after=None)
                | Q(~Q(then=Then.NOTHING), then_after__isnull=False),
                name="breakrule_then_after",
            ),
            models.CheckConstraint(
                condition=Q(then=Then.NOT_READY, then_reason_code__isnull=False)
                | Q(~Q(then=Then.NOT_READY), then_reason_code=None),
                name="breakrule_then_reason",
            ),
        )

    def __str__(self) -> str:
        return f"{self.reason_code.label}, {self.team.name if self.team else 'all teams'}"

    @property
    def has_queue(self) -> bool:
        """Whether agents may wait for a place at the reason."""
        return bool(self.most_at_once) and self.when_full == WhenFull.QUEUE

    @property
    def stay_minutes(self) -> int | None:
        """The longest stay: the rule's own, or else that of the reason code."""
        return self.maximum_minutes or self.reason_code.maximum_minutes

    @property
    def longest_stay(self) -> timedelta | None:
        minutes = self.stay_minutes
        return timedelta(minutes=minutes) if minutes else None

    @property
    def budget(self) -> timedelta | None:
        return timedelta(minutes=self.budget_minutes) if self.budget_minutes else None

    @property
    def has_time(self) -> bool:
        """Whether there is a time that can be over."""
        return bool(self.stay_minutes or self.budget_minutes)


NOT_READY_ONLY = Q(category=Category.NOT_READY, system_code=False)
"""The reason codes that a rule can be about."""


class BreakStay(models.Model):
    """An agent in a reason with a rule, from the sweep that sees it to the one that does not.

    It says what was done already: each step is done once in a stay, in the transaction that notes
    it here.
    """

    login_id = models.CharField(max_length=64)
    reason_code = models.ForeignKey(
        ReasonCode, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    began_at = models.DateTimeField()
    budget_over_at = models.DateTimeField(null=True)
    """When the budget is used up; None: not in this stay, or there is none."""
    basis = models.CharField(max_length=120)
    """What `budget_over_at` was computed from: computed again once this is another."""
    agent_told = models.BooleanField(default=False)
    supervisors_told = models.BooleanField(default=False)
    ended = models.BooleanField(default=False)
    """Whether the agent was brought to another state."""

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("login_id", "reason_code"), name="break_stay_once"),
        )

    def __str__(self) -> str:
        return f"{self.login_id} in {self.reason_code_id} since {self.began_at}"
