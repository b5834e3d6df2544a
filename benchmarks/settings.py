"""The product's settings for what the benchmarks start, with two differences.

A password is quick to check: a thousand users sign in at once, and what is measured is what comes
afterwards. Successful notifications carry the requestId, so that each can be told from the last.
"""

from finesse.settings import *  # noqa: F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
FINESSE_REQUEST_ID_ON_SUCCESS = True
