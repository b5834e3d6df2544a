"""Places in the log, as its readers keep them."""

from typing import NamedTuple


class Place(NamedTuple):
    """A place in one log: the position of a notification, and its check digits.

    The check digits are drawn at random when the notification is written. So after the database
    was restored, what was written since then differs from what had the same positions before: a
    place from before is not known to the log any more.
    """

    position: int
    check_digits: int

    @property
    def number(self) -> int:
        """What clients keep: the position, followed by five check digits. Numbers of one log grow
        with its positions."""
        return self.position * CHECK_DIGITS + self.check_digits

    @classmethod
    def of_number(cls, number: int) -> "Place":
        return cls(*divmod(number, CHECK_DIGITS))


CHECK_DIGITS = 100_000
"""Check digits are below this. JavaScript's whole numbers then hold ninety billion positions."""
BEGINNING = Place(0, 0)
"""Before the first notification of every log."""
