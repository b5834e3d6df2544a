"""Other ways to keep passwords, to see what signing in would cost with them."""

from django.contrib.auth.hashers import Argon2PasswordHasher


class SmallArgon2(Argon2PasswordHasher):
    """Argon2id with the least that OWASP's password storage cheat sheet recommends."""

    time_cost = 2
    memory_cost = 19 * 1024
    parallelism = 1
