"""The form of a team, with its members: they are rows of users, each with one team."""

import re
from collections.abc import Collection
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from finesse.users.models import Team, User


class TeamForm(forms.ModelForm):
    members = forms.ModelMultipleChoiceField(
        User.objects.all(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        # A member whom somebody else has added meanwhile was not taken out by this form.
        show_hidden_initial=True,
        help_text="Take the tick away to take an agent out of the team.",
    )
    new_members = forms.CharField(
        required=False,
        label="Add members",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        help_text="Their login IDs, with commas or blanks between them. A user has one team: "
        "users who are added here leave the other one.",
    )

    class Meta:
        model = Team
        fields = ("name", "supervisors")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        present = list(self.instance.members.order_by("pk")) if self.instance.pk else []
        if "members" in self.fields:
            # Any user may be sent, but only a box of a member is shown: there may be thousands.
            self.fields["members"].widget.choices = [(user.pk, str(user)) for user in present]
            self.initial["members"] = present

    def clean_new_members(self) -> list[User]:
        named = [name for name in re.split(r"[\s,;]+", self.cleaned_data["new_members"]) if name]
        found = {user.pk: user for user in User.objects.filter(pk__in=named)}
        if unknown := [name for name in named if name not in found]:
            names = ", ".join(f"“{name}”" for name in unknown[:5])
            raise ValidationError(f"Nobody has the login ID {names}. The list of users has them.")
        return [*found.values()]

    def change_members(self) -> list[User]:
        """Apply what was changed in the list; the users who came from another team.

        Call it in the transaction in which the team is saved: that has taken the writer's lock.
        """
        added = self.cleaned_data.get("new_members", ())
        chosen = {user.pk for user in (*self.cleaned_data.get("members", ()), *added)}
        hidden = self.fields["members"].hidden_widget()
        name = self.add_initial_prefix("members")
        shown = set(hidden.value_from_datadict(self.data, self.files, name) or ())
        left = User.objects.filter(pk__in=shown - chosen, team=self.instance)
        _move(left, None)
        new = list(User.objects.filter(pk__in=chosen - shown).exclude(team=self.instance))
        moved = [user for user in new if user.team_id]
        _move(new, self.instance)
        return moved


def _move(users: "Collection[User] | Any", team: Team | None) -> None:
    for user in users:
        user.team = team
        # One by one: what is saved is published.
        user.save(update_fields=["team"])
