"""The product's settings for the benchmarks, with two differences.

Passwords are quick to check, since the sign-in of thousands of users is not what is measured.
Successful notifications contain the requestId, so that two with the same state differ.
"""

from finesse.settings import *  # noqa: F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
FINESSE_REQUEST_ID_ON_SUCCESS = True
