"""The administration's form of a reason code, within what its user may change."""

from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils.html import format_html

from finesse.admin import PlainNumberField
from finesse.users.access import supervised_teams
from finesse.users.models import Team, User
from media.reason_codes.fields import ColourField, TranslationsField
from media.reason_codes.numbers import (
    code_taken,
    free_numbers,
    label_taken,
    retired_before,
    retired_since,
    translation_taken,
)
from media.reason_codes.two_at_once import PastOfCode
from media.two_at_once import refuse_stale
from reasoncodes.access import hidden_teams, manages_global
from reasoncodes.models import DAY_MINUTES, Category, ReasonCode

EVERYBODY, THESE_TEAMS = "on", ""
LONGEST_LABEL: int = ReasonCode._meta.get_field("label").max_length or 0
NOBODY = "Nobody would get it: tick at least one team."
WORK, BREAK = "True", "False"


def _number(most: int, **options: Any) -> PlainNumberField:
    return PlainNumberField(
        min_value=1,
        max_value=most,
        widget=forms.TextInput(attrs={"inputmode": "numeric"}),
        **options,
    )


class ReasonCodeForm(forms.ModelForm):
    user: ClassVar[User]
    """The user who fills in the form; the administration sets it."""

    category = forms.ChoiceField(
        choices=Category.choices, widget=forms.RadioSelect, initial=Category.NOT_READY
    )
    code = _number(65535)
    for_all = forms.TypedChoiceField(
        label="Who gets it",
        choices=((EVERYBODY, "Everybody"), (THESE_TEAMS, "These teams")),
        coerce=bool,
        empty_value=False,  # type: ignore[arg-type]
        required=False,
        widget=forms.RadioSelect,
    )
    teams = forms.ModelMultipleChoiceField(
        Team.objects.none(), required=False, widget=forms.CheckboxSelectMultiple
    )
    nobody = forms.BooleanField(label="Offer it to nobody for now", required=False)
    again = forms.BooleanField(
        label="Make a new one all the same", required=False, widget=forms.HiddenInput
    )
    version = forms.CharField(required=False, widget=forms.HiddenInput)
    """The latest version when the form was opened."""
    colour = ColourField(
        help_text="The board can show it beside the label. It is never the only sign."
    )
    translations = TranslationsField(
        required=False,
        label="In other languages",
        help_text=f"Up to {LONGEST_LABEL} characters each. Readers of other languages see the "
        "label above.",
    )
    place = _number(
        999,
        label="Place in the list",
        required=False,
        help_text="1 to 999. Codes with a place come first in the agent’s list; the others follow "
        "by number.",
    )
    productive = forms.TypedChoiceField(
        label="Counts as",
        choices=(("", "Not said"), (WORK, "Work"), (BREAK, "A break")),
        coerce=lambda value: value == WORK,
        empty_value=None,
        required=False,
        help_text="For reports.",
    )
    maximum_minutes = _number(
        DAY_MINUTES,
        label="Maximum time",
        required=False,
        help_text=f"Minutes that an agent should stay in it at most, 1 to {DAY_MINUTES}.",
    )
    warning_minutes = _number(
        DAY_MINUTES,
        label="Warning",
        required=False,
        help_text="Minutes before the maximum time at which the board warns. Less than the "
        "maximum time.",
    )

    class Meta:
        model = ReasonCode
        fields = ("category", "code", "label", "for_all", "teams", "description")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.is_new = not self.instance.pk
        if "label" not in self.fields:
            # To look at alone.
            return
        for shown in (self._show_numbers, self._show_teams, self._show_meaning):
            shown()
        if not self.is_new:
            self.fields["category"].disabled = True
            self.fields["category"].help_text = "Fixed after creation."
            self.initial["version"] = PastOfCode(self).token()

    def _show_numbers(self) -> None:
        code = self.fields["code"]
        code.help_text = "1 to 65535. Reports show it."
        if self.is_new:
            free = free_numbers()
            not_ready, logout = (free[one.value] for one in (Category.NOT_READY, Category.LOGOUT))
            code.help_text += f" Next free: {not_ready} for Not ready, {logout} for Sign out."
            code.widget.attrs |= {"data-free-NOT_READY": not_ready, "data-free-LOGOUT": logout}
            self.initial.setdefault("code", free[self.initial.get("category", "NOT_READY")] or "")
        self.fields["label"].help_text = f"What agents read. Up to {LONGEST_LABEL} characters."

    def _show_teams(self) -> None:
        teams = supervised_teams(self.user).order_by("name")
        self.fields["teams"].queryset = teams  # type: ignore[attr-defined]
        if self.is_new:
            own = list(teams[:2])
            self.initial["for_all"] = THESE_TEAMS
            if len(own) == 1:
                self.initial["teams"] = own
        else:
            self.initial["for_all"] = EVERYBODY if self.instance.for_all else THESE_TEAMS
            self.initial["teams"] = list(teams.filter(reason_codes=self.instance))
            is_nobodys = not self.instance.for_all and not self.instance.teams.exists()
            self.initial["nobody"] = is_nobodys
        if not manages_global(self.user):
            del self.fields["for_all"]
            if self.is_new:
                self.instance.for_all = False
        if not self.user.is_superuser:
            # It would belong to nobody, and its maker could not find it again.
            del self.fields["nobody"]

    def _show_meaning(self) -> None:
        self.fields["colour"].widget.attrs["list"] = "palette"
        description = self.fields["description"]
        description.help_text = (
            "What agents should choose it for; they may see it. Up to 255 characters."
        )
        productive = {True: WORK, False: BREAK, None: ""}[self.instance.productive]
        self.initial["productive"] = productive

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        self._refuse_nobody(data)
        if {"category", "label", "code"} & data.keys():
            self._refuse_duplicates(data)
        if not self.is_new:
            refuse_stale(self, PastOfCode(self))
        return data

    def _refuse_nobody(self, data: dict[str, Any]) -> None:
        chosen, hidden = data.get("teams") or (), self._hidden_teams()
        said = data.get("nobody", False)
        if data.get("for_all", self.instance.for_all) and "for_all" in self.fields:
            if said:
                self.add_error("nobody", "Choose one: everybody, or nobody for now.")
            data["teams"] = self._teams_of_global(hidden)
        elif said and chosen:
            self.add_error("nobody", "Choose one: these teams, or nobody for now.")
        elif not (said or chosen or hidden):
            advice = " Or tick “Offer it to nobody for now”." if "nobody" in self.fields else ""
            self.add_error("teams", f"{NOBODY}{advice}")
        elif hidden and "for_all" in self.fields and self._was_global:
            # Their assignments had slept while everybody had it.
            self.add_error("teams", "It was offered to other teams, too: ask an administrator.")
        else:
            data["teams"] = Team.objects.filter(Q(pk__in=chosen) | Q(pk__in=hidden))

    def _hidden_teams(self) -> QuerySet[Team]:
        return Team.objects.none() if self.is_new else hidden_teams(self.user, self.instance)

    def _teams_of_global(self, hidden: QuerySet[Team]) -> QuerySet[Team]:
        """Never both: what becomes global leaves the teams that the user sees."""
        return self.instance.teams.all() if self._was_global else hidden

    @property
    def _was_global(self) -> bool:
        return not self.is_new and self.initial["for_all"] == EVERYBODY

    def _refuse_duplicates(self, data: dict[str, Any]) -> None:
        wanted = ReasonCode(
            pk=self.instance.pk,
            category=data.get("category", ""),
            code=data.get("code") or 0,
            label=data.get("label", "").strip(),
            translations=data.get("translations") or {},
            retired=self.instance.retired,
        )
        if "code" in data and (taken := code_taken(wanted, self.user)):
            self.add_error("code", ValidationError(taken, code="unique"))
        if "label" in data and (taken := label_taken(wanted, self.user)):
            self.add_error("label", ValidationError(taken, code="unique"))
        elif "translations" in data and (taken := translation_taken(wanted, self.user)):
            self.add_error("translations", ValidationError(taken, code="unique"))
        elif self.is_new and "label" in data and not data.get("again"):
            self._ask_about_retired(wanted)

    def _ask_about_retired(self, wanted: ReasonCode) -> None:
        retired = retired_before(wanted, self.user)
        if retired is None:
            return
        since = retired_since(retired)
        page = reverse("admin:reasoncodes_reasoncode_bring_back", args=[retired.pk])
        asked = format_html(
            '{}, code {}, was retired{}. <a href="{}">Bring it back</a>, '
            "or tick “Make a new one all the same”.",
            retired.label,
            retired.code,
            f" in {since}" if since else "",
            page,
        )
        self.add_error("label", ValidationError(asked, code="retired"))
        self.fields["again"].widget = forms.CheckboxInput()
