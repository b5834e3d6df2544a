"""The log of all notifications and its head, subscriptions, and the transports' cursors."""

from functools import cached_property

from django.db import models
from django.db.models import F, Q

from finesse.notifications.places import Place
from finesse.status.system_info import Status


class Placed(models.Model):
    """A row that is at a place in the log."""

    position = models.PositiveBigIntegerField(default=0)
    # The database has the default, too: processes of the last version may write meanwhile.
    check_digits = models.PositiveIntegerField(default=0, db_default=0)
    """Of the notification at this position."""

    class Meta:
        abstract = True

    @property
    def place(self) -> Place:
        return Place(self.position, self.check_digits)


class LogHead(Placed):
    """The one row that says how long the log is. Its lock is the writer's lock.

    Positions come from here and not from a sequence, which gives numbers before the commit: a
    reader could then pass over a notification that is committed late.
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    access = models.PositiveBigIntegerField(default=0)
    """Counts changes of users, teams and subscriptions: at each, access is looked up anew."""
    status = models.CharField(max_length=16, choices=Status, default=Status.IN_SERVICE)
    """The status of the service that was published last, whether it is still true or not."""

    class Meta:
        constraints = (
            models.CheckConstraint(condition=Q(id=1), name="loghead_is_one_row"),
            models.CheckConstraint(condition=Q(status__in=Status.values), name="loghead_status"),
        )

    def __str__(self) -> str:
        return f"position {self.position}, access {self.access}"


class Event(models.TextChoices):
    """[Notification Parameters]; clients compare these exactly, in upper case."""

    PUT = "PUT", "changed"
    POST = "POST", "added"
    DELETE = "DELETE", "removed"


SEGMENT = 16_384
"""Positions in one segment of the log."""


def segment_of(position: str) -> models.Func:
    """The number of the segment that the position in this column belongs to.

    It stands before the node in an index, so that new entries go to the few pages of the newest
    segment. By node alone they would go to a page for each user, on which the writer would spend a
    seventh of its time with millions of rows (docs/performance.md).
    """
    # The number is in the SQL, not a parameter: the database compares expressions as text.
    of_position = f"(%(expressions)s / {SEGMENT})"
    return models.Func(F(position), template=of_position, output_field=models.BigIntegerField())


class Notification(Placed):
    """One `<Update>` on one node. Positions are contiguous, in the order of commits."""

    position = models.PositiveBigIntegerField(primary_key=True)
    node = models.CharField(max_length=200)
    source = models.CharField(max_length=200)
    event = models.CharField(max_length=6, choices=Event)
    request_id = models.CharField("requestId", max_length=255, blank=True)
    at = models.DateTimeField(db_index=True)
    update = models.TextField(help_text="The rendered <Update>, as every transport sends it.")
    # The database has the default, too: processes of the last version may write meanwhile.
    context = models.TextField(default="", db_default="", blank=True)
    """What Cisco's `<Update>` has no element for, as a JSON object for the viewers' frames."""

    class Meta:
        ordering = ("position",)
        indexes = (
            models.Index(segment_of("position"), "node", "position", name="notification_of_node"),
        )
        constraints = (
            models.CheckConstraint(condition=Q(position__gte=1), name="notification_position"),
            models.CheckConstraint(condition=Q(event__in=Event), name="notification_event"),
        )

    def __str__(self) -> str:
        return f"{self.position}: {self.event} {self.source}"

    @cached_property
    def place(self) -> Place:
        # Once for all sockets: a row that is written stays as it is.
        return super().place


class Subscription(models.Model):
    """A node that an XMPP client has subscribed to explicitly; it lasts until it is cancelled
    [Subscription Management]."""

    login_id = models.CharField(max_length=64)
    resource = models.CharField(max_length=200, blank=True)
    """The one client that it is for; empty for all clients of the user."""
    node = models.CharField(max_length=200)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("login_id", "resource", "node"), name="subscription_once"
            ),
        )

    def __str__(self) -> str:
        return f"{self.login_id}/{self.resource} to {self.node}"


class TransportCursor(Placed):
    """How far one transport has handed the log over; its lock makes the transport's order."""

    XMPP = "xmpp"
    """The name of the one that the component on an XMPP server moves."""

    name = models.CharField(primary_key=True, max_length=32)

    def __str__(self) -> str:
        return f"{self.name} at {self.position}"
