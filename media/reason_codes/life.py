"""The life of a reason code: retired, brought back, replaced. Each has its own result."""

import dataclasses
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib.admin.models import ADDITION, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import QuerySet

from finesse.users.access import visible_users
from finesse.users.models import User
from media.break_tables import BreakRule
from media.breaks.access import may_change, visible_rules
from media.breaks.words import sentence
from media.models import Desktop, Media
from media.reason_codes.numbers import code_taken, label_taken, translation_taken, translations_of
from media.reason_codes.use import Use, use_of
from reasoncodes.access import changeable_by
from reasoncodes.models import ReasonCode

COPIED = (
    "category",
    "for_all",
    "description",
    "colour",
    "place",
    "productive",
    "maximum_minutes",
    "warning_minutes",
)
"""What a code that takes another's place has from it, beside its teams."""
SHOWN_PEOPLE = 8


@dataclass(frozen=True)
class Prospect:
    """What would become of a reason code, and what is to be known before."""

    reason_code: ReasonCode
    problem: str
    """Why it cannot be done; empty if it can. It may be marked safe, with a link."""
    use: Use
    people: str
    """Who is in it now, as far as the reader may know."""
    leading: tuple[str, ...]
    """What break rules say that lead agents to it, as far as the reader may know."""


def prospects(codes: Iterable[ReasonCode], by: User, *, retired: bool) -> list[Prospect]:
    """What retiring (`retired`) or bringing back would do to each of these.

    Certain only under the writer's lock.
    """
    found = list(codes)
    pks = [code.pk for code in found]
    changeable = set(changeable_by(by).filter(pk__in=pks).values_list("pk", flat=True))
    used, people = use_of(pks), _people(pks, by)
    leading = _rules_leading_to(pks, by)
    return [
        Prospect(
            code,
            _problem(code, by, retired) if code.pk in changeable else "It is not yours to change.",
            used.get(code.pk, Use()),
            people.get(code.pk, ""),
            tuple(leading[code.pk]),
        )
        for code in found
    ]


def carry_out(planned: Iterable[Prospect], by: User, *, retired: bool) -> list[Prospect]:
    """Retire or bring back each that can be; call it in `exclusive`.

    Checked again one by one: two that are brought back at once may have the same label.
    """
    done = []
    for one in planned:
        code = one.reason_code
        problem = one.problem or _problem(code, by, retired)
        if not problem:
            code.retired = retired
            code.save(update_fields=["retired"])
        done.append(dataclasses.replace(one, problem=problem))
    return done


def replace(old: ReasonCode, code: int, label: str, by: User) -> ReasonCode:
    """Retire it, and make another one that is offered to the same teams; call it in `exclusive`.

    Break rules about it that `by` may change hold for the new one, too. Raises ValidationError if
    the new one cannot be.
    """
    old.retired = True
    old.save(update_fields=["retired"])
    new = ReasonCode(code=code, label=label, **{name: getattr(old, name) for name in COPIED})
    new.translations = translations_of(old, label)
    new.full_clean()
    new.save()
    new.teams.set(old.teams.all())
    for rule in BreakRule.objects.filter(reason_code=old).select_related("team"):
        if may_change(by, rule):
            _copy(rule, new, by)
    return new


def _copy(rule: BreakRule, to: ReasonCode, by: User) -> None:
    rule.pk, rule._state.adding, rule.reason_code = None, True, to
    rule.save()
    LogEntry.objects.create(
        user=by,
        content_type=ContentType.objects.get_for_model(BreakRule),
        object_id=str(rule.pk),
        object_repr=str(rule)[:200],
        action_flag=ADDITION,
        change_message=f"Made: {sentence(rule)}",
    )


def rules_about(code: ReasonCode, by: User) -> dict[str, list[str]]:
    """What break rules about it say: those that `by` may change, and those that `by` may only
    read."""
    found: dict[str, list[str]] = {"own": [], "of_others": []}
    for rule in _visible(by).filter(reason_code=code):
        whose = "own" if may_change(by, rule) else "of_others"
        found[whose].append(f"{rule}: {sentence(rule)}")
    return found


def _rules_leading_to(pks: Collection[int], by: User) -> defaultdict[int, list[str]]:
    found: defaultdict[int, list[str]] = defaultdict(list)
    for rule in _visible(by).filter(then_reason_code__in=pks):
        found[rule.then_reason_code_id or 0].append(f"{rule}: {sentence(rule)}")
    return found


def _visible(by: User) -> QuerySet[BreakRule]:
    rules = visible_rules(by).select_related("reason_code", "then_reason_code", "team")
    return rules.order_by("reason_code__label", "team__name")


def _problem(code: ReasonCode, by: User, retired: bool) -> str:
    if code.retired == retired:
        return "It is retired already." if retired else "It is not retired."
    if retired:
        return ""
    wanted = ReasonCode(
        pk=code.pk,
        category=code.category,
        code=code.code,
        label=code.label,
        translations=code.translations,
        for_all=code.for_all,
    )
    for taken in (code_taken, label_taken, translation_taken):
        if problem := taken(wanted, by):
            return problem
    if wanted.exceeds():
        return (
            f"Its category has {wanted.limit} {wanted.scope} reason codes already. "
            "Retire one of them first."
        )
    return ""


def _people(pks: list[int], reader: User) -> dict[int, str]:
    """Who is in each of them now."""
    named: Any = ("reason_code_id", "user_id")
    in_mrds = Media.objects.filter(reason_code__in=pks).order_by().values_list(*named)
    at_desktops = Desktop.objects.filter(reason_code__in=pks).order_by().values_list(*named)
    there = sorted(set(in_mrds) | set(at_desktops))
    users = visible_users(reader).in_bulk({login_id for _, login_id in there})
    found: dict[int, list[str]] = {}
    for pk, login_id in there:
        name = users[login_id].get_full_name() if login_id in users else ""
        found.setdefault(pk, []).append(name)
    return {pk: _listed(names) for pk, names in found.items()}


def _listed(names: list[str]) -> str:
    shown = [name for name in names if name][:SHOWN_PEOPLE]
    if rest := len(names) - len(shown):
        shown.append(f"{rest} more" if shown else f"{rest} of other teams")
    return ", ".join(shown)
