"""MRDs, the users' Media in them, desktops, accepted requests and the history of states."""

from collections.abc import Mapping

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower

from finesse.db.models import SavedWhole
from finesse.db.names import NameField, UniqueNameField
from finesse.log_context import MRD, POSITION, REQUEST_ID, USER
from finesse.users.models import User
from media.break_tables import BreakRule, BreakStay  # noqa: F401 (Django finds models here)
from media.state_words import choices
from media.states import DESKTOP_TRANSITIONS, Requested, State
from media.sum_tables import StaleHour, SumHead, SumOfHour  # noqa: F401
from media.supervision_tables import (  # noqa: F401 (the same)
    ActionRow,
    SupervisorAction,
    WaitingChange,
)
from media.use_tables import LastUse, UseHead, UseOnDay  # noqa: F401 (Django finds models here)
from reasoncodes.models import ReasonCode

VOICE_MRD = 1
"""The voice MRD: always there, read only, and not for the Media API [Media Routing Domain API]."""
EXTENSION_LENGTH = 32
NOTE_LENGTH = 255
STATE_LENGTH = max(map(len, State))


class InterruptAction(models.TextChoices):
    """How the agent answers a task of another MRD that interrupts, in an interruptible MRD."""

    ACCEPT = "ACCEPT"
    IGNORE = "IGNORE"


class DialogLogoutAction(models.TextChoices):
    """What happens to active tasks when the agent signs out."""

    CLOSE = "CLOSE"
    TRANSFER = "TRANSFER"


class MediaRoutingDomain(SavedWhole):
    id = models.PositiveIntegerField(
        "ID", primary_key=True, help_text="The ID in API paths. It cannot be changed later."
    )
    name = UniqueNameField(
        max_length=64, error_messages={"unique": "Another MRD has this name, in whatever case."}
    )
    description = NameField(max_length=255, blank=True)
    interruptible = models.BooleanField(
        default=False, help_text="Whether a task of another MRD may interrupt tasks here."
    )

    class Meta:
        verbose_name = "media routing domain"
        ordering = ("id",)
        constraints = (
            models.CheckConstraint(
                condition=Q(id__gte=1),
                name="mrd_id",
                violation_error_message="The ID must be 1 or more.",
            ),
            models.UniqueConstraint(
                Lower("name"),
                name="mrd_name_unique_without_case",
                violation_error_message="Another MRD has this name, in whatever case.",
            ),
        )

    def __str__(self) -> str:
        return f"{self.name} ({self.id})"

    def rivals(self) -> "models.QuerySet[MediaRoutingDomain]":
        """The MRDs whose names it may not have."""
        return MediaRoutingDomain.objects.exclude(pk=self.pk)

    @property
    def is_voice(self) -> bool:
        return self.id == VOICE_MRD


class Media(SavedWhole):
    """One user in one MRD: a user is a member of an MRD as long as there is a Media.

    Only `media.writing` changes the fields that are not editable: everybody else makes a request.
    """

    # The constraint's index serves. There is none on the columns that a change of state changes:
    # PostgreSQL would have to write into all of them, a fifth of what a batch wrote.
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="media", db_index=False)
    mrd = models.ForeignKey(
        MediaRoutingDomain,
        on_delete=models.CASCADE,
        related_name="media",
        verbose_name="media routing domain",
        limit_choices_to=~Q(pk=VOICE_MRD),
    )
    state = models.CharField(
        max_length=STATE_LENGTH, choices=choices(State), default=State.LOGOUT, editable=False
    )
    state_change_time = models.DateTimeField(null=True, editable=False)
    """When the current state began; null if the state has never changed."""
    reason_code = models.ForeignKey(
        ReasonCode,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        editable=False,
        db_index=False,
    )
    routable = models.BooleanField(default=False, editable=False)
    not_routable_next = models.BooleanField(default=False, editable=False)
    """To be made not routable once the offered task has been started."""
    resume = models.CharField(
        max_length=STATE_LENGTH, choices=choices(State), blank=True, editable=False
    )
    """While in WORK: the state before the connection was lost."""
    max_dialog_limit = models.PositiveSmallIntegerField(null=True, editable=False)
    interrupt_action = models.CharField(
        max_length=6, choices=InterruptAction, blank=True, editable=False
    )
    dialog_logout_action = models.CharField(
        max_length=8, choices=DialogLogoutAction, blank=True, editable=False
    )

    class Meta:
        verbose_name_plural = "media"
        ordering = ("user", "mrd")
        constraints = (
            models.UniqueConstraint(
                fields=("user", "mrd"),
                name="media_unique",
                violation_error_message="This user belongs to this MRD already.",
            ),
            models.CheckConstraint(
                condition=~Q(mrd=VOICE_MRD),
                name="media_not_voice",
                violation_error_message="The voice MRD has no Media.",
            ),
            models.CheckConstraint(condition=Q(state__in=list(State)), name="media_state"),
            models.CheckConstraint(
                condition=Q(reason_code=None) | Q(state=State.NOT_READY), name="media_reason_code"
            ),
            # A sign-in sets all options, a sign-out clears them.
            models.CheckConstraint(
                condition=Q(
                    state=State.LOGOUT,
                    max_dialog_limit=None,
                    interrupt_action="",
                    dialog_logout_action="",
                    routable=False,
                    not_routable_next=False,
                )
                | Q(
                    ~Q(state=State.LOGOUT),
                    max_dialog_limit__isnull=False,
                    max_dialog_limit__gte=1,
                    max_dialog_limit__lte=10,
                    interrupt_action__in=InterruptAction,
                    dialog_logout_action__in=DialogLogoutAction,
                ),
                name="media_options",
            ),
            models.CheckConstraint(
                condition=Q(resume="") | Q(state=State.WORK, resume__in=list(State)),
                name="media_resume",
            ),
        )

    def __str__(self) -> str:
        return f"{self.user_id} in {self.mrd_id}: {self.get_state_display()}"

    def clean(self) -> None:
        if self.mrd_id == VOICE_MRD:
            raise ValidationError({"mrd": "The voice MRD has no Media."})

    @property
    def uri(self) -> str:
        return media_uri(self.user_id, self.mrd_id)


def media_uri(login_id: str, mrd_id: int) -> str:
    return f"/finesse/api/User/{login_id}/Media/{mrd_id}"


class Desktop(models.Model):
    """A user's session in the voice MRD: what a Finesse desktop signs in to [User].

    It is created at the first sign-in: a user without one is signed out. Only `media.writing`
    changes it.
    """

    user = models.OneToOneField(
        User, on_delete=models.CASCADE, primary_key=True, related_name="desktop"
    )
    state = models.CharField(
        max_length=STATE_LENGTH, choices=choices(DESKTOP_TRANSITIONS), default=State.LOGOUT
    )
    state_change_time = models.DateTimeField(null=True)
    reason_code = models.ForeignKey(
        ReasonCode, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    extension = models.CharField(max_length=EXTENSION_LENGTH, blank=True)

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(state__in=list(DESKTOP_TRANSITIONS)), name="desktop_state"
            ),
            models.CheckConstraint(
                condition=Q(reason_code=None) | Q(state=State.NOT_READY),
                name="desktop_reason_code",
            ),
            models.CheckConstraint(
                condition=Q(extension="") | ~Q(state=State.LOGOUT), name="desktop_extension"
            ),
        )

    def __str__(self) -> str:
        return f"{self.user_id}: {self.get_state_display()}"


def user_uri(login_id: str) -> str:
    return f"/finesse/api/User/{login_id}"


class Cause(models.TextChoices):
    """The party that has asked for a state."""

    SELF = "self", "the agent"
    SUPERVISOR = "supervisor", "a supervisor"
    SYSTEM = "system", "the system"
    LIMIT = "limit", "the system, as the time for the reason was over"
    DEACTIVATED = "inactive", "the system, as the user was deactivated"
    REMOVED = "removed", "the system, as the user was taken out of the MRD"
    DELETED = "deleted", "the system, as the user was deleted"


class Outcome(models.TextChoices):
    """How a request ended. Each request ends in exactly one of these."""

    CHANGED = "changed", "changed: the new state was published"
    IGNORED = "ignored", "nothing to change: nothing was published"
    ERROR = "error", "failed: the error was published"
    WAITING = "waiting", "waits: a change that waits has taken its place, and ends as it does"


# Of both columns: a CHECK takes a comparison with NULL for true.
_APPLIED = Q(outcome__isnull=False, applied_at__isnull=False)


def _note() -> models.CharField:  # type: ignore[type-arg]
    """What the person who has asked says about it, to the agent and to other supervisors."""
    # The database has the default, too: processes of the last version may write meanwhile.
    return models.CharField(max_length=NOTE_LENGTH, blank=True, default="", db_default="")


class MediaRequest(models.Model):
    """A request that was answered 202, and its outcome.

    It is about one Media or, without an MRD, about the user's desktop. It names user and MRD by
    their ids: it outlives them, and still gets its outcome.
    """

    login_id = models.CharField("user", max_length=64)
    mrd_id = models.PositiveIntegerField("MRD", null=True)
    requested = models.CharField(max_length=16, choices=choices(Requested))
    reason_code = models.ForeignKey(
        ReasonCode, on_delete=models.PROTECT, null=True, related_name="+"
    )
    max_dialog_limit = models.PositiveSmallIntegerField(
        null=True, validators=[MinValueValidator(1), MaxValueValidator(10)]
    )
    interrupt_action = models.CharField(max_length=6, choices=InterruptAction, blank=True)
    dialog_logout_action = models.CharField(max_length=8, choices=DialogLogoutAction, blank=True)
    extension = models.CharField(max_length=EXTENSION_LENGTH, blank=True)
    logout_all_media = models.BooleanField(null=True)
    """Whether a sign-out of the desktop signs out of all MRDs, too; null: as the setting says."""
    request_id = models.CharField("requestId", max_length=255, blank=True)
    cause = models.CharField(max_length=10, choices=Cause, default=Cause.SELF)
    actor = models.CharField(max_length=64)
    """Login id of the user who has asked; empty for the system."""
    note = _note()
    accepted_at = models.DateTimeField()
    applied_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=7, choices=Outcome, null=True)  # noqa: DJ001 (null: none yet)
    error = models.CharField(max_length=64, blank=True)
    """The errorMessage of the error in which it ended."""
    position = models.PositiveBigIntegerField(null=True, unique=True)
    """The position of the notification with the outcome."""

    class Meta:
        verbose_name = "request"
        ordering = ("id",)
        indexes = (
            models.Index(fields=("id",), condition=Q(outcome=None), name="request_pending"),
            models.Index(fields=("accepted_at",), name="request_accepted_at"),
            models.Index(
                fields=("login_id",), condition=Q(outcome=None), name="request_pending_of_user"
            ),
        )
        constraints = (
            models.CheckConstraint(
                condition=Q(requested__in=list(Requested)), name="request_requested"
            ),
            models.CheckConstraint(condition=Q(cause__in=Cause), name="request_cause"),
            models.CheckConstraint(
                condition=Q(outcome=None, applied_at=None, position=None, error="")
                | Q(_APPLIED, outcome=Outcome.CHANGED, position__isnull=False, error="")
                | Q(_APPLIED, outcome=Outcome.IGNORED, position=None, error="")
                | Q(_APPLIED, outcome=Outcome.WAITING, position=None, error="")
                | Q(_APPLIED, ~Q(error=""), outcome=Outcome.ERROR, position__isnull=False),
                name="request_one_outcome",
            ),
        )

    def __str__(self) -> str:
        subject = f"{self.login_id} in {self.mrd_id}" if self.mrd_id else self.login_id
        return f"{subject}: {self.get_requested_display()}"

    def trace_key(self) -> str:
        """Of what never changes, and without the key, which the one who saves it does not know."""
        at = self.accepted_at.timestamp()
        return f"{self.login_id} {self.mrd_id} {self.requested} {self.request_id} {at:.6f}"

    def log_fields(self) -> Mapping[str, object]:
        """For lines of the log that are about this request (finesse.log_context)."""
        return {
            REQUEST_ID: self.request_id,
            USER: self.login_id,
            MRD: self.mrd_id,
            POSITION: self.position,
        }


class StateInterval(models.Model):
    """A time that a user spent in one state (and for one reason) in one MRD.

    The desktop's intervals are those of the voice MRD. Login ids, codes and labels are copied as
    they were then: history does not change when users and reason codes do.
    """

    login_id = models.CharField("user", max_length=64)
    mrd_id = models.PositiveIntegerField("MRD")
    state = models.CharField(max_length=STATE_LENGTH, choices=choices(State))
    reason_code = models.ForeignKey(
        ReasonCode, on_delete=models.PROTECT, null=True, related_name="+"
    )
    code = models.PositiveIntegerField(null=True)
    label = models.CharField(max_length=40, blank=True)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    cause = models.CharField(max_length=10, choices=Cause)
    actor = models.CharField(max_length=64)
    note = _note()

    class Meta:
        verbose_name = "state interval"
        ordering = ("-id",)
        indexes = (
            # For reports. One of the ends alone would cost the writer as much, and serves none.
            models.Index(fields=("mrd_id", "login_id", "started_at"), name="interval_of_media"),
        )
        constraints = (
            models.UniqueConstraint(
                fields=("login_id", "mrd_id"), condition=Q(ended_at=None), name="interval_one_open"
            ),
            models.CheckConstraint(
                condition=Q(ended_at=None) | Q(ended_at__gte=F("started_at")), name="interval_order"
            ),
        )

    def __str__(self) -> str:
        return f"{self.login_id} in {self.mrd_id}: {self.get_state_display()}"


class IntervalCorrection(models.Model):
    """Another reason for an interval, which a supervisor has put right. The interval itself stays
    as it was entered; of several corrections the last one counts.

    Code and label are copied as they were when the correction was made.
    """

    interval = models.ForeignKey(
        StateInterval, on_delete=models.CASCADE, related_name="corrections"
    )
    reason_code = models.ForeignKey(
        ReasonCode, on_delete=models.PROTECT, null=True, related_name="+"
    )
    """None: the interval had no reason."""
    code = models.PositiveIntegerField(null=True)
    label = models.CharField(max_length=40, blank=True)
    actor = models.CharField(max_length=64)
    """Login id of the supervisor."""
    note = _note()
    at = models.DateTimeField()

    class Meta:
        ordering = ("id",)

    def __str__(self) -> str:
        return f"{self.interval_id}: {self.label or 'no reason'}"
