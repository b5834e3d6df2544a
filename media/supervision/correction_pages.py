"""The page on which a supervisor corrects the reason of a time that is over."""

from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.shortcuts import render as render_template
from django.views.decorators.cache import never_cache

from finesse.db.names import validate_visible
from finesse.users.models import User
from media.models import NOTE_LENGTH, VOICE_MRD, MediaRoutingDomain, StateInterval
from media.supervision.correcting import correctable_by, corrections_of, reasons_for
from media.writing.history import correct_past

LARGEST_ID = 2**63 - 1


class CorrectionForm(forms.Form):
    """The right reason, and why it was wrong. The second page asks whether it is meant."""

    reason_code = forms.TypedChoiceField(
        label="The right reason", coerce=int, error_messages={"required": "Choose a reason."}
    )
    note = forms.CharField(
        max_length=NOTE_LENGTH,
        validators=[validate_visible],
        error_messages={"required": "Say in a few words why: the note stays with the correction."},
        help_text="Why it was wrong. The agent and other supervisors can read it.",
    )

    def __init__(self, *args: Any, interval: StateInterval, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.reasons = {code.pk: code for code in reasons_for(interval)}
        corrections = corrections_of(interval)
        present = (corrections[-1] if corrections else interval).reason_code_id
        options = [(pk, f"{code.label} ({code.code})") for pk, code in self.reasons.items()]
        # What it has now would correct nothing.
        others = [option for option in options if option[0] != present]
        field = cast(forms.TypedChoiceField, self.fields["reason_code"])
        field.choices = [("", "Choose…"), *others]


@never_cache
def correct_interval(request: HttpRequest, interval_id: int) -> HttpResponse:
    """Asks for the right reason, then for confirmation. What was entered first stays visible."""
    if not admin.site.has_permission(request):
        return redirect_to_login(request.get_full_path(), "login")
    user = cast(User, request.user)
    interval = correctable_by(user).filter(pk=min(interval_id, LARGEST_ID)).first()
    if interval is None:
        raise Http404("No such interval")
    if interval.ended_at is None:
        messages.info(request, "This time still runs: correct its reason on the board.")
        return redirect("viewer")
    form = CorrectionForm(request.POST or None, interval=interval)
    is_valid = request.method == "POST" and form.is_valid()
    if is_valid and "confirmed" in request.POST:
        reason_code = form.reasons[form.cleaned_data["reason_code"]]
        correct_past(interval, reason_code, actor=user.pk, note=form.cleaned_data["note"])
        messages.success(request, f"Corrected: “{reason_code.label}” counts from now on.")
        return redirect("correct-interval", interval.pk)
    asks = is_valid and "back" not in request.POST
    return render_template(
        request, "supervision/correct.html", _context(request, interval, form, asks=asks)
    )


def _context(
    request: HttpRequest, interval: StateInterval, form: CorrectionForm, *, asks: bool
) -> dict[str, Any]:
    agent = User.objects.filter(pk=interval.login_id).first()
    corrections = corrections_of(interval)
    mrd = MediaRoutingDomain.objects.filter(pk=interval.mrd_id).first()
    people = User.objects.in_bulk([one.actor for one in corrections])
    return {
        **admin.site.each_context(request),
        "title": "Correct a reason",
        "interval": interval,
        "where": "the desktop" if interval.mrd_id == VOICE_MRD else mrd or interval.mrd_id,
        "agent": agent.get_full_name() if agent else interval.login_id,
        "corrections": [(one, people.get(one.actor) or one.actor) for one in corrections],
        "form": form,
        "asks": asks,
        "wanted": form.reasons.get(form.cleaned_data["reason_code"]) if asks else None,
    }
