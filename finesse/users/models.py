"""User and Team. The login id is the id in REST paths and the local part of the XMPP address."""

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.contrib.sessions.base_session import AbstractBaseSession
from django.core.validators import RegexValidator
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone

from finesse.db.models import SavedWhole
from finesse.db.names import NameField, UniqueNameField

SUPERVISOR_PERMISSIONS = frozenset(
    {
        "reasoncodes.view_reasoncode",
        "reasoncodes.add_reasoncode",
        "reasoncodes.change_reasoncode",
        "reasoncodes.delete_reasoncode",
        "users.view_team",
        "media.view_breakrule",
        "media.add_breakrule",
        "media.change_breakrule",
        "media.delete_breakrule",
    }
)
"""Permissions of supervisors in the admin; administrators have all."""


class Team(SavedWhole):
    name = UniqueNameField(
        max_length=64, error_messages={"unique": "Another team has this name, in whatever case."}
    )
    supervisors: "models.ManyToManyField[User, Any]" = models.ManyToManyField(
        "users.User", related_name="supervised_teams", blank=True
    )

    class Meta:
        ordering = ("name",)
        constraints = (
            models.UniqueConstraint(
                Lower("name"),
                name="team_name_unique_without_case",
                violation_error_message="Another team has this name, in whatever case.",
            ),
        )

    def __str__(self) -> str:
        return self.name

    def rivals(self) -> "models.QuerySet[Team]":
        """The teams whose names it may not have."""
        return Team.objects.exclude(pk=self.pk)


class UserManager(BaseUserManager["User"]):
    def create_user(self, login_id: str, password: str | None = None, **fields: Any) -> "User":
        user = self.model(login_id=login_id, **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, login_id: str, password: str | None = None, **fields: Any) -> "User":
        return self.create_user(login_id, password, is_superuser=True, **fields)


class User(SavedWhole, AbstractBaseUser, PermissionsMixin):
    """An agent, a supervisor or an administrator."""

    login_id = models.CharField(
        "login ID",
        primary_key=True,
        max_length=64,
        validators=[
            RegexValidator(r"\A[A-Za-z0-9._-]+\Z", "Use letters, digits, '.', '_' and '-'."),
            # Clients take them out of a path before they send it [RFC 3986 5.2.4].
            RegexValidator(r"\A\.\.?\Z", "No client could address this ID.", inverse_match=True),
        ],
        help_text="The ID in API paths. It cannot be changed later.",
    )
    first_name = NameField(max_length=64)
    last_name = NameField(max_length=64, blank=True)
    team = models.ForeignKey(
        Team, on_delete=models.SET_NULL, null=True, blank=True, related_name="members"
    )
    is_supervisor = models.BooleanField(
        "supervisor",
        default=False,
        help_text="May sign in here and manage the reason codes of own teams.",
    )
    manages_global_reason_codes = models.BooleanField(
        default=False,
        help_text="As a supervisor: may also manage the reason codes of every team.",
    )
    is_active = models.BooleanField(
        "active", default=True, help_text="Clear this instead of deleting: access ends at once."
    )
    is_superuser = models.BooleanField(
        "administrator", default=False, help_text="May manage everything and watch every agent."
    )
    date_joined = models.DateTimeField(default=timezone.now, editable=False)
    must_change_password = models.BooleanField(
        "new password at the next sign-in",
        default=False,
        help_text="Until then only the sign-in page accepts the password, and asks for a new one.",
    )
    sign_ins_ended = models.PositiveIntegerField(default=0, editable=False)
    """How often all sign-ins of the user were ended: those from before a change are void."""
    sign_in_failed = models.BooleanField(default=False, editable=False)
    """Whether a wrong password was used since the last right one. `SignInFailures` counts them."""

    objects = UserManager()

    USERNAME_FIELD = "login_id"
    REQUIRED_FIELDS = ["first_name"]

    class Meta:
        ordering = ("login_id",)
        constraints = (
            # XMPP compares local parts without case: two users must not share an address.
            models.UniqueConstraint(
                Lower("login_id"),
                name="user_login_id_unique_without_case",
                violation_error_message="A user with this login ID exists, in whatever case.",
            ),
            models.CheckConstraint(
                condition=models.Q(login_id__regex=r"\A[A-Za-z0-9._-]+\Z"),
                name="user_login_id_characters",
            ),
            models.CheckConstraint(
                condition=~models.Q(login_id__in=(".", "..")), name="user_login_id_addressable"
            ),
        )

    def __str__(self) -> str:
        return f"{self.get_full_name()} ({self.login_id})"

    def get_full_name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()

    def get_short_name(self) -> str:
        return self.first_name

    def check_password(self, raw_password: str | None) -> bool:
        """The demo's password is public: outside the demo it is wrong, whatever is stored."""
        is_right = super().check_password(raw_password)
        return is_right and (
            settings.FINESSE_DEMO or raw_password != settings.FINESSE_DEMO_PASSWORD
        )

    @property
    def may_sign_in(self) -> bool:
        """Whether the right password opens anything but the page that asks for a new one."""
        return self.is_active and not self.must_change_password

    def get_session_auth_hash(self) -> str:
        """Sessions and sockets that were opened with another one end."""
        return self._of_these_sign_ins(super().get_session_auth_hash())

    def get_session_auth_fallback_hash(self) -> Iterator[str]:
        for former in super().get_session_auth_fallback_hash():
            yield self._of_these_sign_ins(former)

    def _of_these_sign_ins(self, of_password: str) -> str:
        return f"{of_password}-{self.sign_ins_ended}" if self.sign_ins_ended else of_password

    @property
    def is_staff(self) -> bool:
        """May sign in to the admin."""
        return self.is_superuser or self.is_supervisor

    def supervises(self) -> models.QuerySet[Team]:
        """The teams whose members this user watches: none unless marked as a supervisor."""
        return self.supervised_teams.all() if self.is_supervisor else Team.objects.none()

    @property
    def role(self) -> str:
        """The highest role: administrator, supervisor or agent."""
        if self.is_superuser:
            return "administrator"
        return "supervisor" if self.is_supervisor else "agent"

    def has_perm(self, perm: str, obj: Any = None) -> bool:
        by_role = self.is_active and self.is_supervisor and perm in SUPERVISOR_PERMISSIONS
        return by_role or super().has_perm(perm, obj)

    def has_module_perms(self, app_label: str) -> bool:
        by_role = (
            self.is_active
            and self.is_supervisor
            and any(perm.startswith(f"{app_label}.") for perm in SUPERVISOR_PERMISSIONS)
        )
        return by_role or super().has_module_perms(app_label)


class TeamMembership(models.Model):
    """A time that a user spent in one team, or in none: one row after another for each user.

    Login ids and teams are copied, so that users and teams may be deleted.
    `finesse.users.team_history` writes them.
    """

    login_id = models.CharField("login ID", max_length=64)
    team_id = models.BigIntegerField(null=True)
    team_name = models.CharField("team", max_length=64, blank=True)
    """The last one that the team had."""
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("id",)
        indexes = (
            models.Index(fields=("team_id",), name="membership_team"),
            models.Index(fields=("login_id", "started_at"), name="membership_login_id"),
        )
        constraints = (
            models.UniqueConstraint(
                fields=("login_id",), condition=models.Q(ended_at=None), name="membership_one_open"
            ),
            models.CheckConstraint(
                condition=models.Q(ended_at=None) | models.Q(ended_at__gte=models.F("started_at")),
                name="membership_order",
            ),
        )

    def __str__(self) -> str:
        return f"{self.login_id} in {self.team_name or 'no team'}"


class BrowserSession(AbstractBaseSession):
    """A session of Django's, with what its user may want to know about it."""

    user = models.ForeignKey(
        # Without a constraint: a browser whose user was deleted meanwhile may still save a session.
        User,
        on_delete=models.CASCADE,
        null=True,
        db_constraint=False,
        related_name="browser_sessions",
    )
    since = models.DateTimeField(null=True)
    """When the user signed in."""
    last_seen = models.DateTimeField(default=timezone.now)
    """To the minute; a page that is open counts."""
    origin = models.CharField(max_length=64, blank=True)
    """Where the user signed in (`finesse.client_networks`); empty for this machine."""
    browser = models.CharField(max_length=200, blank=True)
    """The start of its User-Agent."""

    class Meta(AbstractBaseSession.Meta):
        verbose_name = "sign-in in a browser"
        verbose_name_plural = "sign-ins in browsers"

    def __str__(self) -> str:
        # Not the key, which is a secret.
        return f"Session of {self.user_id or 'nobody'}"


class SignInFailures(models.Model):
    """Wrong passwords for one user from one origin; enough of them block the two for a while.

    The login id is the one that was given, cut to 64 characters, whether there is such a user or
    not: otherwise answers would show which users exist.
    """

    login_id = models.CharField("login ID", max_length=64)
    origin = models.CharField(max_length=64, blank=True)
    """An IPv4 address or a network of IPv6; empty where there is none, as with a UNIX socket."""
    count = models.PositiveIntegerField("wrong passwords")
    last_at = models.DateTimeField("last")
    blocked_until = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "failed sign-in"
        ordering = ("-last_at",)
        indexes = (models.Index(fields=("origin", "last_at"), name="sign_in_failures_of_origin"),)
        constraints = (
            models.UniqueConstraint(fields=("login_id", "origin"), name="sign_in_failures_once"),
        )

    def __str__(self) -> str:
        return f"{self.login_id} from {self.origin or 'this machine'}"
