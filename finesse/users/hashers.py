"""How passwords are hashed."""

from django.contrib.auth import hashers


class Argon2PasswordHasher(hashers.Argon2PasswordHasher):
    """Argon2id with the smallest parameters that OWASP's password storage cheat sheet recommends.

    Finesse clients send a password with every request, and at the start of a shift thousands sign
    in at once. A check takes a tenth of the CPU of Django's PBKDF2 (docs/performance.md), and 19
    MiB instead of the 100 of Django's own Argon2. Django replaces other hashes at their next check.
    """

    time_cost = 2
    memory_cost = 19 * 1024  # KiB
    parallelism = 1
