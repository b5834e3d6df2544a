"""What reason codes mean to a person who looks at the board, in that person's language."""

from typing import Any

from django.db.models import Q, QuerySet

from finesse.users.access import supervised_teams
from finesse.users.models import User
from media.break_tables import BreakRule
from reasoncodes.access import visible_to
from reasoncodes.languages import label_in
from reasoncodes.models import ReasonCode


def meanings(user: User, languages: tuple[str, ...]) -> dict[str, dict[str, Any]]:
    """By id as text, of the codes that have more to say than code and label.

    A label is None if none of the languages has another than the one that the Media shows.
    `ofRules` are the longest stays that break rules give, in minutes or None: of teams by their
    names, of `others` if there is a rule for all.
    """
    rules = _maxima_of_rules(user)
    found = {
        str(one.pk): _meaning(one, languages) | {"ofRules": rules.get(one.pk)}
        for one in _visible_to(user)
    }
    return {
        pk: meaning
        for pk, meaning in found.items()
        if any(one is not None for one in meaning.values())
    }


def _maxima_of_rules(user: User) -> dict[int, dict[str, Any]]:
    """By the id of a reason code. Where only other teams have rules it has none."""
    own = Q(team__in=supervised_teams(user)) | Q(team=user.team_id)
    found: dict[int, dict[str, Any]] = {}
    for rule in BreakRule.objects.filter(own | Q(team=None)).select_related("reason_code", "team"):
        of_code = found.setdefault(rule.reason_code_id, {"teams": {}})
        if rule.team is None:
            of_code["others"] = rule.stay_minutes
        else:
            of_code["teams"][rule.team.name] = rule.stay_minutes
    return found


def _visible_to(user: User) -> "QuerySet[ReasonCode]":
    of_own_team = Q(pk__in=ReasonCode.objects.filter(teams=user.team_id).values("pk"))
    return ReasonCode.objects.filter(Q(pk__in=visible_to(user).values("pk")) | of_own_team)


def _meaning(reason_code: ReasonCode, languages: tuple[str, ...]) -> dict[str, Any]:
    label = label_in(languages, reason_code.label, reason_code.translations)
    return {
        "label": None if label == reason_code.label else label,
        "colour": reason_code.colour or None,
        "description": reason_code.description or None,
        "productive": reason_code.productive,
        "maximumMinutes": reason_code.maximum_minutes,
        "warningMinutes": reason_code.warning_minutes,
    }
