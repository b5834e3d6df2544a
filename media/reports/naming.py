"""Names for what sums are of, as people know them; of what is deleted, as it was called last."""

from datetime import datetime
from functools import cached_property

from finesse.users.models import TeamMembership, User
from media.models import MediaRoutingDomain
from media.reports.folding import Amounts, Key, classed
from media.reports.maxima import Maxima
from media.states import State
from reasoncodes.models import ReasonCode


class Names:
    """At the time `at`: each kind is looked up once, if it is asked for."""

    def __init__(self, at: datetime) -> None:
        self._at = at

    def team(self, pk: int | None) -> str:
        return self._teams.get(pk, "") if pk is not None else ""

    def agent(self, login_id: str) -> str:
        return self._agents.get(login_id, "") if login_id else ""

    def mrd(self, pk: int | None) -> str:
        return self._mrds.get(pk, str(pk)) if pk is not None else ""

    def reason(self, pk: int | None) -> tuple[int | None, str]:
        """Code and label."""
        meaning = self._meanings.at(pk, self._at) if pk is not None else None
        return (meaning.code, meaning.label) if meaning else (None, "")

    def classed(self, state: str, reason_code_id: int | None, amounts: Amounts) -> Amounts:
        """With what of it was productive."""
        if state == State.NOT_READY:
            productive = self._productive.get(reason_code_id or 0)
        else:
            productive = None if state == State.LOGOUT else True
        return classed(amounts, productive=productive, signed_in=state != State.LOGOUT)

    def order(self, key: Key) -> tuple[object, ...]:
        code, label = self.reason(key.reason_code_id)
        return (
            key.bucket,
            self.team(key.team_id).casefold(),
            key.team_id or 0,
            key.login_id,
            key.mrd_id or 0,
            key.state,
            code or 0,
            label,
            key.reason_code_id or 0,
        )

    @cached_property
    def _teams(self) -> dict[int | None, str]:
        rows = TeamMembership.objects.filter(team_id__isnull=False).order_by("id")
        return dict(rows.values_list("team_id", "team_name"))

    @cached_property
    def _agents(self) -> dict[str, str]:
        names = User.objects.values_list("pk", "first_name", "last_name")
        return {pk: f"{first} {last}".strip() for pk, first, last in names}

    @cached_property
    def _mrds(self) -> dict[int, str]:
        return dict(MediaRoutingDomain.objects.values_list("pk", "name"))

    @cached_property
    def _meanings(self) -> Maxima:
        return Maxima()

    @cached_property
    def _productive(self) -> dict[int, bool | None]:
        return dict(ReasonCode.objects.values_list("pk", "productive"))
