"""The forms with which people choose their passwords, and administrators set those of others."""

from typing import Any

from django import forms
from django.contrib.auth.forms import (
    AdminPasswordChangeForm,
    PasswordChangeForm,
    SetPasswordForm,
    UserCreationForm,
)
from django.core.exceptions import ValidationError

from finesse.users.models import User
from finesse.users.passwords import verify_password

MUST_CHANGE = "Ask for a new password at the next sign-in"
UNTIL_THEN = (
    "On the sign-in page, in a browser. Until then every client of this user is refused, as with a "
    "wrong password."
)
_THE_SAME = "This is the password that you have now. Choose another one."


class ChosenPasswordForm(SetPasswordForm):
    """A user chooses a password, and has not to choose one again."""

    def clean_new_password1(self) -> str:
        chosen: str = self.cleaned_data["new_password1"]
        if self.user.has_usable_password() and self.user.check_password(chosen):
            raise ValidationError(_THE_SAME, code="same_password")
        return chosen

    def save(self, commit: bool = True) -> Any:
        self.user.set_password(self.cleaned_data["new_password1"])
        self.user.must_change_password = False
        if commit:
            self.user.save(update_fields=["password", "must_change_password"])
        return self.user


class OwnPasswordForm(ChosenPasswordForm, PasswordChangeForm):
    """Asks for the old password, by the same check and lock-out as a sign-in."""

    error_messages = {
        **PasswordChangeForm.error_messages,
        "password_incorrect": "This is not your password, or there were too many wrong ones. "
        "Then wait for some minutes, or ask an administrator.",
    }

    def __init__(self, user: User, *args: Any, origin: str = "", **kwargs: Any) -> None:
        super().__init__(user, *args, **kwargs)
        self.origin = origin

    def clean_old_password(self) -> str:
        old: str = self.cleaned_data["old_password"]
        if "\0" in old or not verify_password(self.user.pk, old, self.origin):
            raise ValidationError(
                self.error_messages["password_incorrect"], code="password_incorrect"
            )
        return old


class NewUserForm(UserCreationForm):
    """With a password, or with none: then an administrator gives out a sign-in link."""

    must_change_password = forms.BooleanField(
        label=MUST_CHANGE, required=False, initial=True, help_text=UNTIL_THEN
    )

    class Meta:
        model = User
        fields = (
            "login_id",
            "first_name",
            "last_name",
            "team",
            "must_change_password",
            "is_supervisor",
            "manages_global_reason_codes",
            "is_superuser",
        )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("password1", "password2"):
            self.fields[name].required = False

    def validate_passwords(self, *args: Any, **kwargs: Any) -> None:
        first, second = (self.cleaned_data.get(name) for name in ("password1", "password2"))
        if bool(first) != bool(second):
            missing = "password2" if first else "password1"
            self.add_error(missing, "Enter the password twice, or leave both fields empty.")
        super().validate_passwords(*args, **kwargs)  # type: ignore[misc]

    def set_password_and_save(self, user: User, *args: Any, **kwargs: Any) -> User:
        # An empty password counts as none: nobody can sign in by one.
        self.cleaned_data["password1"] = self.cleaned_data.get("password1") or None
        if self.cleaned_data["password1"] is None:
            user.must_change_password = False
        saved: User = super().set_password_and_save(user, *args, **kwargs)  # type: ignore[misc]
        return saved


class NewPasswordForm(AdminPasswordChangeForm):
    """An administrator sets another user's password, which then two people know."""

    usable_password_help_text = (
        "Without a password the user cannot sign in, until you give out a sign-in link."
    )
    must_change_password = forms.BooleanField(
        label=MUST_CHANGE, required=False, initial=True, help_text=UNTIL_THEN
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if isinstance(choice := self.fields.get("usable_password"), forms.ChoiceField):
            choice.label = "What to do"
            choice.choices = (("true", "Set a new password"), ("false", "Take the password away"))

    def save(self, commit: bool = True) -> Any:
        must = (
            self.cleaned_data["set_usable_password"] and self.cleaned_data["must_change_password"]
        )
        self.user.must_change_password = must
        return super().save(commit)
