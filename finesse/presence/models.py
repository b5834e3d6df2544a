"""The users who are watched for absence."""

from django.db import models


class Watched(models.Model):
    """A user who has connected an XMPP client, and is signed out when it is gone for long.

    The row is deleted in the transaction of that sign-out. It names the user by text, since this
    package is in a layer below the users; it may outlive the user.
    """

    login_id = models.CharField(primary_key=True, max_length=64)

    class Meta:
        verbose_name = "watched user"

    def __str__(self) -> str:
        return self.login_id
