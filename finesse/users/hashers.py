"""How passwords are kept."""

from django.contrib.auth import hashers


class Argon2PasswordHasher(hashers.Argon2PasswordHasher):
    """Argon2id with the least that OWASP's password storage cheat sheet recommends.

    Finesse clients send a password with every request, and at the start of a shift thousands come
    at once: a check takes a tenth of the CPU that Django's PBKDF2 takes (docs/performance.md), and
    19 MiB where Django's own Argon2 would take 100. Passwords that were kept otherwise are kept so
    from their next check on.
    """

    time_cost = 2
    memory_cost = 19 * 1024
    parallelism = 1
