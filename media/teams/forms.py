"""The form of a team, with its members: they are rows of users, each with one team."""

from collections.abc import Collection
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AutocompleteSelectMultiple

from finesse.users.models import Team, User


class TeamForm(forms.ModelForm):
    members = forms.ModelMultipleChoiceField(
        User.objects.all(),
        required=False,
        # The supervisors' field leads to the same list of all users.
        widget=AutocompleteSelectMultiple(Team._meta.get_field("supervisors"), admin.site),
        # A member whom somebody else has added meanwhile was not taken out by this form.
        show_hidden_initial=True,
        help_text="A user has one team: who is added here leaves another one.",
    )

    class Meta:
        model = Team
        fields = ("name", "supervisors")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.initial["members"] = list(self.instance.members.all())

    def change_members(self) -> list[User]:
        """Apply what was changed in the list; the users who came from another team.

        Call it in the transaction in which the team is saved: that has taken the writer's lock.
        """
        chosen = {user.pk for user in self.cleaned_data.get("members", ())}
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
