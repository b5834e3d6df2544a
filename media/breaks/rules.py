"""Which rule binds an agent: that of the agent's team, or else the one for all teams."""

from collections.abc import Iterable, Iterator
from time import monotonic

from django.db.models import signals

from finesse.db.bulk import Among, keys
from finesse.db.statements import Placeholder, Statement
from media.break_tables import BreakRule

_OF_REASONS = Statement(
    lambda: BreakRule.objects.filter(Among("reason_code", Placeholder("keys"))).order_by()
)
_ALL = Statement(
    lambda: BreakRule.objects.select_related("reason_code", "then_reason_code").order_by()
)


class RuleBook:
    """Some rules, by team and reason code."""

    def __init__(self, rules: Iterable[BreakRule]) -> None:
        self._rules = {(one.team_id, one.reason_code_id): one for one in rules}

    def __iter__(self) -> Iterator[BreakRule]:
        return iter(self._rules.values())

    def with_rule(self, rule: BreakRule) -> "RuleBook":
        """The same rules with this one, in the place of another for the same agents and reason."""
        return RuleBook([*self._rules.values(), rule])

    def without(self, rule: BreakRule) -> "RuleBook":
        return RuleBook(one for one in self._rules.values() if one.pk != rule.pk)

    def of(self, team_id: int | None, reason_code_id: int) -> BreakRule | None:
        """The rule for an agent of this team (None: without a team), if there is one."""
        own = self._rules.get((team_id, reason_code_id))
        return own or self._rules.get((None, reason_code_id))


KNOWN_FOR_SECONDS = 1.0
"""So long a process takes for granted that there is a number of places anywhere, or none."""
_known: tuple[float, bool] = (float("-inf"), False)


def gives_numbers() -> bool:
    """Whether any rule says how many may be in a reason at once, as of the last second.

    For early refusals only: a statement for each PUT took a tenth of its time, and where there is
    no such rule it always found nothing. The writer looks at its turn.
    """
    global _known
    now = monotonic()
    if now > _known[0]:
        has_any = BreakRule.objects.filter(most_at_once__isnull=False).exists()
        _known = now + KNOWN_FOR_SECONDS, has_any
    return _known[1]


def forget_numbers(**kwargs: object) -> None:
    """This process has changed a rule."""
    global _known
    _known = float("-inf"), False


signals.post_save.connect(forget_numbers, sender=BreakRule)
signals.post_delete.connect(forget_numbers, sender=BreakRule)


def rules_of(reason_codes: Iterable[int]) -> RuleBook:
    """The rules for these reason codes, by their database ids."""
    return RuleBook(_OF_REASONS.all(keys=keys((pk,) for pk in sorted(reason_codes))))


def every_rule() -> RuleBook:
    """All rules, with their reason codes and those that follow."""
    return RuleBook(_ALL.all())
