"""The product's settings for the processes that tests start, but passwords are quick to check."""

from finesse.settings import *  # noqa: F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
