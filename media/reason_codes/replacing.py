"""The form of a code that takes another one's place."""

from typing import Any

from django import forms

from finesse.admin import PlainNumberField
from finesse.db.names import validate_visible
from finesse.users.models import User
from media.reason_codes.numbers import (
    code_taken,
    label_taken,
    next_free,
    translation_taken,
    translations_of,
)
from reasoncodes.models import ReasonCode


class ReplacementForm(forms.Form):
    code = PlainNumberField(
        min_value=1,
        max_value=65535,
        widget=forms.TextInput(attrs={"inputmode": "numeric"}),
        help_text="1 to 65535. Reports show it.",
    )
    label = forms.CharField(
        validators=[validate_visible], help_text="What agents read. Up to 40 characters."
    )

    def __init__(self, *args: Any, old: ReasonCode, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.old, self.user = old, user
        self.fields["code"].initial = next_free(old.category) or ""

    def clean_label(self) -> str:
        label: str = self.cleaned_data["label"]
        longest = ReasonCode._meta.get_field("label").max_length or 0
        if len(label) > longest:
            raise forms.ValidationError(f"It has {len(label)} characters; {longest} is the most.")
        return label

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        # The old one is retired in the same moment: its code and label are free for the new one.
        wanted = ReasonCode(
            pk=self.old.pk,
            category=self.old.category,
            code=data.get("code") or 0,
            label=data.get("label", ""),
            translations=translations_of(self.old, data.get("label", "")),
        )
        if "code" in data and (taken := code_taken(wanted, self.user)):
            self.add_error("code", taken)
        if "label" in data and (
            taken := label_taken(wanted, self.user) or translation_taken(wanted, self.user)
        ):
            self.add_error("label", taken)
        return data
