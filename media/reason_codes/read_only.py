"""The page of a reason code for supervisors who may only read it, in words."""

from typing import Any

from django.contrib import admin
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from reasoncodes.colours import PALETTE
from reasoncodes.differences import NOTHING, in_words, language_in_words
from reasoncodes.models import ReasonCode


class ReadOnlyPage(admin.ModelAdmin):
    """Values as the history says them: Django would show raw JSON, icons and bare numbers."""

    # The list of teams would name those of others, too.
    read_only_fieldsets: Any = (
        (None, {"fields": ("label", "code", "kind", "offered_to", "is_retired", "use", "id")}),
        (
            "Meaning",
            {
                "fields": (
                    "description",
                    "seen_colour",
                    "place",
                    "counts_as",
                    "longest",
                    "warned",
                    "languages",
                )
            },
        ),
    )

    @admin.display(description="retired")
    def is_retired(self, code: ReasonCode) -> str:
        return in_words(code, "retired")

    @admin.display(description="colour")
    def seen_colour(self, code: ReasonCode) -> SafeString | str:
        if not code.colour:
            return NOTHING
        names = {colour: name for name, colour in PALETTE.items()}
        return format_html(
            '<svg class="swatch" viewBox="0 0 10 10" aria-hidden="true">'
            '<rect width="10" height="10" rx="3" fill="{}"/></svg> {}',
            code.colour,
            names.get(code.colour, code.colour),
        )

    @admin.display(description="counts as")
    def counts_as(self, code: ReasonCode) -> str:
        return in_words(code, "productive")

    @admin.display(description="maximum time")
    def longest(self, code: ReasonCode) -> str:
        return in_words(code, "maximum_minutes")

    @admin.display(description="warning before that")
    def warned(self, code: ReasonCode) -> str:
        return in_words(code, "warning_minutes")

    @admin.display(description="label in other languages")
    def languages(self, code: ReasonCode) -> SafeString | str:
        labels = sorted((language_in_words(tag), label) for tag, label in code.translations.items())
        return format_html_join(SafeString("<br>"), "{}: {}", labels) or NOTHING
