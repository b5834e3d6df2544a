"""The administration's form of a reason code, within what its user may change."""

from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet

from finesse.users.models import Team, User
from reasoncodes.access import hidden_teams, manages_global


class ReasonCodeForm(forms.ModelForm):
    user: ClassVar[User]
    """The user who fills in the form; the administration sets it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "for_all" in self.fields and not manages_global(self.user):
            self.fields["for_all"].disabled = True
            self.fields["for_all"].initial = False
            self.fields["for_all"].help_text = "An administrator can let you manage global codes."

    def clean_teams(self) -> QuerySet[Team]:
        chosen: QuerySet[Team] = self.cleaned_data["teams"]
        if not self.instance.pk:
            return chosen
        hidden = hidden_teams(self.user, self.instance)
        return Team.objects.filter(Q(pk__in=chosen) | Q(pk__in=hidden))

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if not (self.user.is_superuser or data.get("for_all") or data.get("teams")):
            # It would belong to nobody, and its maker could not find it again.
            raise ValidationError({"teams": "Choose at least one of your teams."})
        return data
