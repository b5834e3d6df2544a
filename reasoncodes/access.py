"""Which reason codes a user may see and change in the administration.

It follows THE RULE OF ACCESS (`finesse.users.access`). Supervisors change what belongs to their
teams alone; a code that is shared with another team, a global one and a system's is to be read. An
administrator may grant a supervisor the management of global codes.
"""

from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery

from finesse.users.access import supervised_teams
from finesse.users.models import Team, User
from reasoncodes.history import Version
from reasoncodes.models import ReasonCode


def visible_to(user: User) -> QuerySet[ReasonCode]:
    """Global codes, the system's, and those of the user's teams; all for an administrator."""
    if user.is_superuser:
        return ReasonCode.objects.all()
    of_team = Q(system_code=True) | Q(for_all=True) | Exists(_own_assignments(user))
    return ReasonCode.objects.filter(of_team)


def changeable_by(user: User) -> QuerySet[ReasonCode]:
    """Those that the user may change, retire and delete; never one of the system's."""
    own = ReasonCode.objects.filter(system_code=False)
    if user.is_superuser:
        return own
    changeable = (
        Q(for_all=False) & Exists(_own_assignments(user)) & ~Exists(others_assignments(user))
    )
    if manages_global(user):
        changeable |= Q(for_all=True)
    return own.filter(changeable)


def versions_visible_to(user: User) -> QuerySet[Any]:
    """The versions of what the user could see then, and those by which that ended.

    Each has `before`: the `history_id` of the version before it, None for the first.
    """
    earlier = Version.objects.filter(id=OuterRef("id"), history_id__lt=OuterRef("history_id"))
    newest_first = earlier.order_by("-history_id")
    versions: QuerySet[Any] = Version.objects.annotate(
        before=Subquery(newest_first.values("history_id")[:1])
    )
    if user.is_superuser:
        return versions
    visible = of_visible_versions(user)
    ended = Version.objects.filter(visible, history_id=OuterRef("before"))
    return versions.filter(visible | Exists(ended))


def of_visible_versions(user: User) -> Q:
    """Of global codes, the system's, and those of the user's teams at that time."""
    if user.is_superuser:
        return Q()
    visible = Q(system_code=True) | Q(for_all=True)
    teams = [str(pk) for pk in supervised_teams(user).values_list("pk", flat=True)]
    return visible | Q(team_names__has_any_keys=teams) if teams else visible


def manages_global(user: User) -> bool:
    """Whether the user may make a code global, and change those that are."""
    return user.is_superuser or (user.is_supervisor and user.manages_global_reason_codes)


def hidden_teams(user: User, reason_code: ReasonCode) -> QuerySet[Team]:
    """The teams of this code that the user does not see: a change leaves them as they are."""
    return reason_code.teams.exclude(pk__in=supervised_teams(user))


def others_assignments(user: User) -> QuerySet[Any]:
    """For `Exists`: the rows that assign a code to teams that are not the user's."""
    return _assignments().exclude(team__in=supervised_teams(user))


def _own_assignments(user: User) -> QuerySet[Any]:
    return _assignments().filter(team__in=supervised_teams(user))


def _assignments() -> QuerySet[Any]:
    rows: QuerySet[Any] = ReasonCode.teams.through.objects.filter(reasoncode=OuterRef("pk"))
    return rows
