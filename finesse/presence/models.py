"""What the service knows of its users' clients."""

from django.db import models


class Watched(models.Model):
    """A user whose XMPP client has come, and who is signed out when it is gone for long.

    The row goes with that sign-out, in its transaction. It names the user by text: it stands
    below the users, where the API and the sockets can reach it, and may outlive them.
    """

    login_id = models.CharField(primary_key=True, max_length=64)

    class Meta:
        verbose_name = "watched user"

    def __str__(self) -> str:
        return self.login_id
