"""The form of a break rule: plain words, the range beside each field, no rule that contradicts
itself."""

from typing import Any, ClassVar
from zoneinfo import available_timezones

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError

from finesse.admin import PlainNumberField
from finesse.users.access import supervised_teams
from finesse.users.models import Team, User
from media.break_rules.circles import new_circles
from media.break_rules.past import PastOfRule
from media.break_tables import MOST_PLACES, NOT_READY_ONLY, BreakRule, Then, WhenFull
from media.breaks.rules import every_rule
from media.breaks.words import sentence
from media.two_at_once import refuse_stale
from reasoncodes.access import visible_to
from reasoncodes.models import DAY_MINUTES, ReasonCode

ALL_TEAMS = "All teams, each for itself"
LIMITS = ("most_at_once", "maximum_minutes", "budget_minutes")
LATER = f"Minutes after the time is over, 0 to {DAY_MINUTES}; 0: at once."


def _number(label: str, help_text: str, *, least: int = 1, most: int = DAY_MINUTES) -> Any:
    return PlainNumberField(
        label=label,
        help_text=help_text,
        min_value=least,
        max_value=most,
        required=False,
        widget=forms.TextInput(attrs={"inputmode": "numeric"}),
    )


class BreakRuleForm(forms.ModelForm):
    user: ClassVar[User]
    """The user who fills in the form; the administration sets it."""

    reason_code = forms.ModelChoiceField(
        ReasonCode.objects.none(), label="Reason", empty_label="Choose a reason"
    )
    team = forms.ModelChoiceField(
        Team.objects.none(),
        label="For whom",
        required=False,
        empty_label=ALL_TEAMS,
        help_text="A team’s own rule goes before the one for all teams, as a whole.",
    )
    most_at_once = _number(
        "At most at once",
        f"Agents of one team who may be in it at the same time, 1 to {MOST_PLACES}. Empty: any "
        "number. You and the system may go beyond it.",
        most=MOST_PLACES,
    )
    when_full = forms.ChoiceField(
        label="When it is full",
        choices=WhenFull.choices,
        initial=WhenFull.REFUSE,
        help_text="Who waits goes there by itself when a place is free, in the order of asking.",
        required=False,
    )
    maximum_minutes = _number(
        "Longest stay",
        f"Minutes, 1 to {DAY_MINUTES}. Empty: the maximum time of the reason code, if it has one.",
    )
    budget_minutes = _number(
        "Time a day",
        f"Minutes of all stays of an agent on one day, 1 to {DAY_MINUTES}. Empty: any time.",
    )
    time_zone = forms.ChoiceField(
        label="The day ends at midnight in", required=False, help_text="For the time a day only."
    )
    tell_agent_after = _number("Tell the agent", f"{LATER} Empty: not at all.", least=0)
    tell_supervisors_after = _number("Tell the supervisors", f"{LATER} Empty: not at all.", least=0)
    then = forms.ChoiceField(
        label="Change the state to",
        choices=[(Then.NOTHING.value, "Leave it as it is"), *Then.choices[1:]],
        help_text="Wherever the agent is in the reason, at the desktop, too.",
    )
    then_reason_code = forms.ModelChoiceField(
        ReasonCode.objects.none(),
        label="The other reason",
        required=False,
        empty_label="Choose a reason",
    )
    then_after = _number("When to change it", LATER, least=0)

    version = forms.CharField(required=False, widget=forms.HiddenInput)
    """What the form shows when it is opened (`PastOfRule`)."""

    class Meta:
        model = BreakRule
        fields = (
            "reason_code",
            "team",
            *LIMITS,
            "when_full",
            "time_zone",
            "tell_agent_after",
            "tell_supervisors_after",
            "then",
            "then_reason_code",
            "then_after",
        )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.said_before = sentence(self.instance) if self.instance.pk else ""
        if "team" not in self.fields:
            # To look at alone.
            return
        codes = visible_to(self.user).filter(NOT_READY_ONLY)
        offered = codes.not_retired().order_by("label")  # type: ignore[attr-defined]
        stored = {
            "reason_code": self.instance.reason_code_id,
            "then_reason_code": self.instance.then_reason_code_id,
        }
        for name, pk in stored.items():
            kept = codes.filter(pk=pk)
            field: Any = self.fields[name]
            field.queryset = offered | kept
            field.label_from_instance = _name
        self._show_teams()
        zones = [(name, name) for name in sorted(available_timezones() - {"localtime"})]
        default = f"{settings.TIME_ZONE}, as on all pages"
        self.fields["time_zone"].choices = [("", default), *zones]  # type: ignore[attr-defined]
        if self.instance.pk:
            self.initial["version"] = PastOfRule(self).token()
            for name in ("reason_code", "team"):
                self.fields[name].disabled = True
                self.fields[name].help_text = "Fixed after creation."

    def _show_teams(self) -> None:
        teams = supervised_teams(self.user).order_by("name")
        field: Any = self.fields["team"]
        field.queryset = teams
        if not self.user.is_superuser:
            field.required, field.empty_label = True, "Choose a team"
            if len(own := list(teams[:2])) == 1:
                self.initial.setdefault("team", own[0])

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if not data.get("most_at_once") or not data.get("when_full"):
            data["when_full"] = WhenFull.REFUSE
        self._refuse_nothing(data)
        self._refuse_state(data)
        self._refuse_steps_without_time(data)
        if {"team", "reason_code"} <= data.keys():
            team, reason = data["team"], data["reason_code"]
            other = data.get("then_reason_code")
            self._refuse_where_nobody_chooses(team, reason)
            self._refuse_another(team, reason)
            self._refuse_circles(team, reason, other)
        if self.instance.pk:
            refuse_stale(self, PastOfRule(self))
        return data

    def _refuse_nothing(self, data: dict[str, Any]) -> None:
        reason: ReasonCode | None = data.get("reason_code")
        has_own = any(data.get(name) for name in LIMITS) or not {*LIMITS} <= data.keys()
        if not has_own and not (reason and reason.maximum_minutes):
            self.add_error(
                None,
                "The rule would say nothing: give a number of agents, a longest stay or a time a "
                "day.",
            )

    def _refuse_state(self, data: dict[str, Any]) -> None:
        then = data.get("then")
        if then != Then.NOT_READY:
            data["then_reason_code"] = None
        elif "then_reason_code" in data:
            reason = data["then_reason_code"]
            if reason is None:
                self.add_error("then_reason_code", "Choose the other reason.")
            elif reason == data.get("reason_code"):
                self.add_error("then_reason_code", "Choose another reason than the rule’s own.")
        if then == Then.NOTHING:
            data["then_after"] = None
        elif "then_after" in data and data["then_after"] is None:
            self.add_error("then_after", "Say when: 0 means as soon as the time is over.")

    def _refuse_steps_without_time(self, data: dict[str, Any]) -> None:
        reason: ReasonCode | None = data.get("reason_code")
        has_time = data.get("maximum_minutes") or data.get("budget_minutes")
        has_time = has_time or (reason and reason.maximum_minutes)
        if has_time or {"maximum_minutes", "budget_minutes"} & self.errors.keys():
            return
        steps = ("tell_agent_after", "tell_supervisors_after", "then_after")
        for name in steps:
            if data.get(name) is not None:
                self.add_error(
                    name, "No time can be over: give a longest stay or a time a day above."
                )

    def _refuse_where_nobody_chooses(self, team: Team | None, reason: ReasonCode) -> None:
        if team and not reason.for_all and not reason.teams.filter(pk=team.pk).exists():
            self.add_error(
                "team",
                f"“{reason.label}” is not offered to {team}: its agents never choose it.",
            )

    def _refuse_another(self, team: Team | None, reason: ReasonCode) -> None:
        others = BreakRule.objects.filter(team=team, reason_code=reason).exclude(
            pk=self.instance.pk
        )
        if others.exists():
            whom = team or "all teams"
            self.add_error(
                "reason_code",
                ValidationError(
                    f"There is a rule for “{reason.label}” and {whom} already: change that one.",
                    code="unique",
                ),
            )

    def _refuse_circles(
        self, team: Team | None, reason: ReasonCode, then: ReasonCode | None
    ) -> None:
        rule = BreakRule(team=team, reason_code=reason, then_reason_code=then)
        rules = every_rule()
        for circle in new_circles(rules, rules.with_rule(rule), reason):
            self.add_error("then_reason_code", circle)


def _name(code: ReasonCode) -> str:
    return f"{code.label} ({code.code})"
