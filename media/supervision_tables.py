"""What supervisors did to their agents' states, and the changes that wait for their turn."""

from typing import TypeAlias

from django.db import models
from django.db.models import Q

from media.state_words import choices
from media.states import Requested
from reasoncodes.models import ReasonCode

NOTE_LENGTH = 255
QueuePlace: TypeAlias = tuple[int, int]
"""The how manyth of how many agents: (3, 4) is the third of four."""


class WaitingOutcome(models.TextChoices):
    """How a waiting change ended. Each ends in exactly one of these."""

    APPLIED = "applied", "the rules allowed it, and it was requested"
    REPLACED = "replaced", "another one took its place"
    CANCELLED = "cancelled", "it was cancelled"
    VOID = "void", "the agent was signed out before"
    OVERTAKEN = "overtaken", "the agent's state was changed otherwise before"
    NO_QUEUE = "no_queue", "the break rule has no queue any more"


class WaitsFor(models.TextChoices):
    """What has to come about before a waiting change can be made."""

    RULES = "rules", "a state in which the rules allow it"
    PLACE = "place", "a place at the reason, where a break rule gives a number of them"


class WaitingChange(models.Model):
    """A change that was refused, and that is to follow as soon as it can be made.

    It is about one Media or, without an MRD, about the user's desktop. There is one open for each.
    Those that wait for places at the same reason have their turns in the order of their ids.
    They are made and ended under the writer's lock.
    """

    login_id = models.CharField("user", max_length=64)
    mrd_id = models.PositiveIntegerField("MRD", null=True)
    requested = models.CharField(max_length=16, choices=choices(Requested))
    reason_code = models.ForeignKey(
        ReasonCode, on_delete=models.PROTECT, null=True, related_name="+"
    )
    # The database has the default, too: processes of the last version may write meanwhile.
    waits_for = models.CharField(
        max_length=5, choices=WaitsFor, default=WaitsFor.RULES, db_default=WaitsFor.RULES
    )
    request_id = models.CharField(max_length=255, null=True)  # noqa: DJ001 (null: no request)
    """Of the request of the API that waits by it, and that has its outcome from it; empty if that
    had none, null if no request waits."""
    logout_all_media = models.BooleanField(null=True)
    """Of a sign-out of the desktop: whether it includes the MRDs; null: as the setting says."""
    note = models.CharField(max_length=NOTE_LENGTH, blank=True)
    cause = models.CharField(max_length=10)
    """A `media.models.Cause`."""
    actor = models.CharField(max_length=64)
    """Login id of the user who wants it."""
    created_at = models.DateTimeField()
    outcome = models.CharField(max_length=9, choices=WaitingOutcome, null=True)  # noqa: DJ001 (null: it waits)
    ended_at = models.DateTimeField(null=True)
    ended_by = models.CharField(max_length=64, blank=True)
    """Login id of the user who replaced or cancelled it; empty for the system."""

    class Meta:
        ordering = ("id",)
        constraints = (
            models.UniqueConstraint(
                fields=("login_id", "mrd_id"),
                condition=Q(outcome=None, mrd_id__isnull=False),
                name="waiting_one_of_media",
            ),
            models.UniqueConstraint(
                fields=("login_id",),
                condition=Q(outcome=None, mrd_id=None),
                name="waiting_one_of_desktop",
            ),
            models.CheckConstraint(
                condition=Q(outcome=None, ended_at=None, ended_by="")
                | Q(
                    outcome__in=WaitingOutcome.values, outcome__isnull=False, ended_at__isnull=False
                ),
                name="waiting_one_outcome",
            ),
        )
        indexes = (
            models.Index(fields=("login_id",), condition=Q(outcome=None), name="waiting_open"),
        )

    def __str__(self) -> str:
        subject = f"{self.login_id} in {self.mrd_id}" if self.mrd_id else self.login_id
        return f"{subject}: {self.get_requested_display()}, later"


class SupervisorAction(models.Model):
    """One press of a button: what a supervisor asked for one row of the board, or for many."""

    id = models.UUIDField(primary_key=True)
    """Made by the client: what is sent twice is done once."""
    actor = models.CharField(max_length=64)
    digest = models.CharField(max_length=64)
    """Of what was asked for: the id of one action cannot be used for another."""
    created_at = models.DateTimeField(db_index=True)
    undone_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.id} by {self.actor}"


class ActionRow(models.Model):
    """What an action meant for one Media or, without an MRD, for one desktop.

    It names its request and its waiting change by their ids, and outlives them.
    """

    action = models.ForeignKey(SupervisorAction, on_delete=models.CASCADE, related_name="rows")
    login_id = models.CharField(max_length=64)
    mrd_id = models.PositiveIntegerField(null=True)
    request = models.PositiveBigIntegerField(null=True)
    waiting = models.PositiveBigIntegerField(null=True)
    refusal = models.CharField(max_length=255, blank=True)
    """Why there is neither, for people."""
    may_wait = models.BooleanField(default=False)
    """Whether what was refused may wait until the state rules allow it."""
    former = models.JSONField(null=True)
    """The session before (`MediaSession` or `DesktopSession`), to go back to."""
    undone = models.CharField(max_length=255, blank=True)
    """What came of undoing it, for people; empty before."""

    class Meta:
        ordering = ("id",)

    def __str__(self) -> str:
        return f"{self.login_id} in {self.mrd_id}"
