"""Reason codes [ReasonCode API Parameters], and which of them a user may choose."""

from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Lower, Trim
from simple_history.models import HistoricalRecords

from finesse.db.models import SavedWhole
from finesse.db.names import NameField, UniqueNameField, folded
from finesse.db.statements import Placeholder
from finesse.users.models import Team
from reasoncodes.changes import (
    VersionOfReasonCode,
    changed_by,
    set_version_user,
    version_user,
)
from reasoncodes.colours import validate_colour
from reasoncodes.languages import same_language, validate_translations


class Category(models.TextChoices):
    NOT_READY = "NOT_READY", "Not ready"
    LOGOUT = "LOGOUT", "Sign out"


DAY_MINUTES = 24 * 60


def uri_of(pk: int) -> str:
    return f"/finesse/api/ReasonCode/{pk}"


class ReasonCodeQuerySet(models.QuerySet["ReasonCode"]):
    def not_retired(self) -> "ReasonCodeQuerySet":
        return self.filter(retired=False)

    def configured(self) -> "ReasonCodeQuerySet":
        """Made by users of the installation, and not retired: the limits count these."""
        return self.not_retired().filter(system_code=False)

    def offered_to(self, team_id: int | Placeholder | None) -> "ReasonCodeQuerySet":
        """Global codes and those of the team, without system codes."""
        of_team = ReasonCode.teams.through.objects.filter(reasoncode=OuterRef("pk"), team=team_id)
        return self.configured().filter(Q(for_all=True) | Exists(of_team))

    def in_order(self) -> "ReasonCodeQuerySet":
        """As agents get them: those with a place first, then by code."""
        return self.order_by("category", F("place").asc(nulls_last=True), "code")

    def assigned_to(self, team: Team, category: str) -> "ReasonCodeQuerySet":
        """The team's own codes. Global and retired ones may be assigned, too, without effect."""
        return self.configured().filter(teams=team, for_all=False, category=category)


class ReasonCode(SavedWhole):
    """A reason that agents choose. Clients send its `id`; reports show its `code`."""

    category = models.CharField(max_length=9, choices=Category)
    code = models.PositiveIntegerField(validators=[MinValueValidator(1), MaxValueValidator(65535)])
    label = UniqueNameField(
        max_length=40,
        error_messages={"unique": "This category has another reason code with this label."},
    )
    for_all = models.BooleanField(
        "global", default=True, help_text="For every team. Otherwise choose the teams below."
    )
    system_code = models.BooleanField("system code", default=False, editable=False)
    teams: "models.ManyToManyField[Team, Any]" = models.ManyToManyField(
        Team, related_name="reason_codes", blank=True, help_text="Ignored for a global code."
    )
    retired = models.BooleanField(
        default=False, help_text="No longer offered to agents; the history goes on naming it."
    )

    description = NameField(
        max_length=255, blank=True, help_text="What agents should choose it for. Agents may see it."
    )
    translations = models.JSONField(default=dict, blank=True, validators=[validate_translations])
    """The label in other languages, by their tags: {"de": "Mittagspause"}."""
    colour = models.CharField(max_length=7, blank=True, validators=[validate_colour])
    """As in #1b6e53; empty for none."""
    place = models.PositiveSmallIntegerField(
        "place in the list",
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(999)],
        help_text="Codes with a place come first in the agent’s list. The others follow by number.",
    )
    productive = models.BooleanField(
        "counts as productive", null=True, blank=True, help_text="For reports: work, or a break?"
    )
    maximum_minutes = models.PositiveSmallIntegerField(
        "maximum time",
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(DAY_MINUTES)],
        help_text="Minutes that an agent should stay in it at most.",
    )
    warning_minutes = models.PositiveSmallIntegerField(
        "warning",
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(DAY_MINUTES)],
        help_text="Minutes before the maximum time at which the board warns.",
    )

    objects = ReasonCodeQuerySet.as_manager()
    history = HistoricalRecords(
        bases=(VersionOfReasonCode,),
        verbose_name="change of a reason code",
        verbose_name_plural="changes of reason codes",
        # The login ID alone: users may be deleted, their changes stay.
        history_user_id_field=models.CharField(max_length=64, blank=True),
        get_user=changed_by,
        history_user_getter=version_user,
        history_user_setter=set_version_user,
    )

    class Meta:
        verbose_name = "reason code"
        ordering = ("category", "code")
        constraints = (
            models.CheckConstraint(condition=Q(category__in=Category), name="reasoncode_category"),
            models.CheckConstraint(
                condition=Q(code__gte=1, code__lte=65535),
                name="reasoncode_code",
                violation_error_message="The code must be between 1 and 65535.",
            ),
            models.CheckConstraint(
                condition=Q(label=Trim("label")) & ~Q(label=""),
                name="reasoncode_label",
                violation_error_message="The label must not be empty or have blanks around it.",
            ),
            models.CheckConstraint(
                condition=Q(warning_minutes=None)
                | Q(maximum_minutes__isnull=False, warning_minutes__lt=F("maximum_minutes")),
                name="reasoncode_warning",
                violation_error_message="The warning must come before the maximum time.",
            ),
            # Another reason code may take the number and the label of a retired one.
            models.UniqueConstraint(
                F("category"),
                F("code"),
                condition=Q(retired=False),
                name="reasoncode_code_unique",
                violation_error_message="This category has another reason code with this code.",
            ),
            models.UniqueConstraint(
                F("category"),
                Lower("label"),
                condition=Q(retired=False),
                name="reasoncode_label_unique",
                violation_error_message="This category has another reason code with this label.",
            ),
        )

    def __str__(self) -> str:
        return f"{self.get_category_display()} {self.code} “{self.label}”"

    def clean(self) -> None:
        self.clean_alone()
        taken = self.taken()
        if "code" in taken:
            raise ValidationError({"code": "This category has another reason code with this code."})
        if "translations" in taken:
            raise ValidationError(
                {
                    "translations": "Another reason code of this category is called the same in "
                    "one of the languages."
                }
            )
        if self.exceeds():
            raise ValidationError(
                f"This category has {self.limit} {self.scope} reason codes already. "
                "Retire one of them first."
            )

    def clean_alone(self) -> None:
        """What `clean` does that concerns no other code: nothing is asked of the database."""
        self.label = self.label.strip()
        self.colour = self.colour.lower()
        self._check_times()

    def _check_times(self) -> None:
        maximum, warning = self.maximum_minutes, self.warning_minutes
        if warning and not maximum:
            raise ValidationError(
                {
                    "warning_minutes": "A warning needs a maximum time: the board warns so many "
                    "minutes before it. Give the maximum, or leave the warning empty."
                }
            )
        if warning and maximum and warning >= maximum:
            raise ValidationError(
                {
                    "warning_minutes": f"The board would warn {warning} minutes before the "
                    f"maximum time of {maximum}, when the agent has hardly begun. Give fewer "
                    "minutes than the maximum."
                }
            )
        if (maximum or warning) and self.category == Category.LOGOUT:
            raise ValidationError(
                {
                    "maximum_minutes": "A maximum time is for reasons for being not ready: who has "
                    "signed out may stay away. Leave it empty."
                }
            )

    @property
    def scope(self) -> str:
        return "global" if self.for_all else "team"

    @property
    def limit(self) -> int:
        """How many of its scope a category may have [Manage Reason Codes]."""
        if self.for_all:
            return int(settings.FINESSE_MAX_GLOBAL_REASON_CODES)
        return int(settings.FINESSE_MAX_TEAM_REASON_CODES)

    def taken(self) -> list[str]:
        """Those of `code`, `label` and `translations` that a rival has.

        Certain only under the writer's lock.
        """
        labels: Any = self._meta.get_field("label")
        found = {
            "code": self.rivals().filter(code=self.code).exists(),
            "label": labels.is_taken(self.label, self),
            "translations": self.namesake() is not None,
        }
        return [name for name, is_taken in found.items() if is_taken]

    def rivals(self) -> ReasonCodeQuerySet:
        """The reason codes whose code and label it may not have: none once it is retired."""
        if self.retired:
            return ReasonCode.objects.none()
        return ReasonCode.objects.not_retired().filter(category=self.category).exclude(pk=self.pk)

    def namesake(self) -> "tuple[ReasonCode, str] | None":
        """A rival that has another label but is called the same in some language, and its tag.

        Compared in Python, as labels are. Certain only under the writer's lock.
        """
        label = folded(self.label)
        for rival in self.rivals():
            if folded(rival.label) != label and (language := same_language(self, rival)):
                return rival, language
        return None

    def exceeds(self) -> bool:
        """Whether it would be one too many of its scope; one that is stored in it already is not.

        Certain only under the writer's lock.
        """
        if self.retired or self.system_code:
            return False
        others = ReasonCode.objects.configured().filter(
            category=self.category, for_all=self.for_all
        )
        return not others.filter(pk=self.pk).exists() and others.count() >= self.limit

    @property
    def uri(self) -> str:
        return uri_of(self.pk)

    def is_used(self) -> bool:
        """Whether a Media, a desktop, a request, a rule or the history names it: it can only be
        retired."""
        protecting = (
            field
            for field in self._meta.get_fields(include_hidden=True)
            if isinstance(field, models.ManyToOneRel) and field.on_delete is models.PROTECT
        )
        return any(
            field.related_model._base_manager.filter(**{field.field.name: self.pk}).exists()
            for field in protecting
        )
