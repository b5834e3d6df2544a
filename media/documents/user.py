"""The User and the Team as Finesse shows them: the person, the team and the desktop's state.

Every documented element is there, an absent value as an empty one: real clients stumble over a
missing tag. The order is alphabetical, as in real answers.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from django.db.models import QuerySet

from finesse.api.xml import timestamp
from finesse.users.models import Team, User
from media.documents.media import NO_REASON_CODE
from media.models import Desktop, user_uri
from reasoncodes.documents import represent_embedded

VOICE = 1
"""`mediaType` of a desktop [User]."""
USERS_PER_PAGE = 200
"""Users in memory while all are listed."""


def with_desktops(users: QuerySet[User]) -> QuerySet[User]:
    """What the representations need of users, in two queries."""
    related = users.select_related("team", "desktop__reason_code")
    return related.prefetch_related("supervised_teams")


def every_user() -> Iterator[User]:
    """All users by login id, as `with_desktops` reads them, a page at a time."""
    users, last = with_desktops(User.objects.order_by("pk")), ""
    while page := [*users.filter(pk__gt=last)[:USERS_PER_PAGE]]:
        yield from page
        last = page[-1].pk


def desktop_of(user: User) -> Desktop:
    """The user's desktop; one that was never signed in to if there is none."""
    # Django's error for a missing relation is an AttributeError, too.
    return getattr(user, "desktop", None) or Desktop(user=user)


def represent_user(user: User) -> dict[str, Any]:
    """The children of `<User>` [User], for answers and notifications."""
    desktop, team = desktop_of(user), user.team
    reason_code = desktop.reason_code
    return {
        "dialogs": f"{user_uri(user.pk)}/Dialogs",
        "extension": desktop.extension,
        "firstName": user.first_name,
        "lastName": user.last_name,
        "loginId": user.pk,
        "loginName": user.pk,
        "mediaType": VOICE,
        "mobileAgent": {"dialNumber": None, "mode": None},
        "pendingState": None,
        # In lower case, as real answers spell it; a Media has a <ReasonCode>.
        "reasonCode": represent_embedded(reason_code, system_code=True) if reason_code else None,
        "reasonCodeId": reason_code.pk if reason_code else NO_REASON_CODE,
        "roles": {"role": _roles(user)},
        "services": None,
        "settings": dict.fromkeys(("deviceSelection", "wrapUpOnIncoming", "wrapUpOnOutgoing")),
        "skillTargetId": None,
        "state": desktop.state,
        "stateChangeTime": timestamp(desktop.state_change_time),
        "teamId": team.pk if team else None,
        "teamName": team.name if team else None,
        "teams": {"Team": [_team(one) for one in user.supervises()]},
        "uri": user_uri(user.pk),
    }


def represent_team(team: Team) -> dict[str, Any]:
    """The children of `<Team>` with a summary of its users [Team]."""
    members = with_desktops(User.objects.filter(team=team)).order_by("pk")
    return {
        "uri": team_uri(team.pk),
        "id": team.pk,
        "name": team.name,
        "users": {"User": [summarise(represent_user(member)) for member in members]},
    }


def represent_teams() -> list[dict[str, Any]]:
    """The children of each `<Team>` in the list of all teams, in the order of their ids."""
    teams = Team.objects.order_by("pk")
    return [{"uri": team_uri(team.pk), "id": team.pk, "name": team.name} for team in teams]


def summarise(user: Mapping[str, object]) -> dict[str, object]:
    """What a team shows of a user [Team], of the children of the whole `<User>`."""
    return {name: user[name] for name in _IN_TEAMS}


def team_uri(team_id: int) -> str:
    return f"/finesse/api/Team/{team_id}"


def _roles(user: User) -> list[str]:
    roles = {
        "Agent": True,
        "Supervisor": user.is_supervisor,
        "Administrator": user.is_superuser,
    }
    return [role for role, has_it in roles.items() if has_it]


def _team(team: Team) -> dict[str, Any]:
    return {"id": team.pk, "name": team.name, "uri": team_uri(team.pk)}


_IN_TEAMS = (
    "dialogs",
    "extension",
    "firstName",
    "lastName",
    "loginId",
    "pendingState",
    "reasonCode",
    "state",
    "stateChangeTime",
    "uri",
)
