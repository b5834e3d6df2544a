"""The reasons that a supervisor may give: those of each agent's own list, or the system's own."""

from collections.abc import Iterable

from finesse.users.models import User
from media.states import Requested
from media.supervision.asking import CATEGORIES
from reasoncodes.models import ReasonCode
from reasoncodes.selection import selectable_by
from reasoncodes.system_codes import SUPERVISOR_INITIATED, system_code


class Reasons:
    """Looks each team's list up once: agents of a team have the same."""

    def __init__(self, requested: Requested) -> None:
        self._category = CATEGORIES.get(requested)
        self._of_teams: dict[int | None, dict[int, ReasonCode]] = {}

    def of(self, agent: User) -> dict[int, ReasonCode]:
        """The agent's list, by id, in its order."""
        if self._category is None:
            return {}
        if agent.team_id not in self._of_teams:
            codes = selectable_by(agent, self._category)
            self._of_teams[agent.team_id] = {code.pk: code for code in codes}
        return self._of_teams[agent.team_id]

    def supervisors_own(self) -> ReasonCode | None:
        """What the protocol's own way gives [User—Change Agent State]: “Supervisor Initiated”."""
        return system_code(self._category, SUPERVISOR_INITIATED) if self._category else None


def offered(agents: Iterable[User], requested: Requested) -> list[tuple[ReasonCode, list[str]]]:
    """The reasons that any of these agents has, each with the names of those who have it not.

    Those that all have come first.
    """
    reasons, agents = Reasons(requested), [*agents]
    codes = {pk: code for agent in agents for pk, code in reasons.of(agent).items()}
    found = [
        (code, [one.get_full_name() for one in agents if pk not in reasons.of(one)])
        for pk, code in codes.items()
    ]
    return sorted(found, key=lambda one: bool(one[1]))
