"""Names of people by login id."""

from collections.abc import Iterable

from finesse.users.models import User


def names_of(login_ids: Iterable[str]) -> dict[str, str]:
    """The names of those of them who are users; of none, the database is not asked."""
    wanted = {*login_ids} - {""}
    if not wanted:
        return {}
    people = User.objects.filter(pk__in=wanted).only("first_name", "last_name")
    return {user.pk: user.get_full_name() for user in people}
