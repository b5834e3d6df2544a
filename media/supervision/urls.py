"""Addresses of stepping in, under /supervision/."""

from django.urls import path

from media.supervision.correction_pages import correct_interval
from media.supervision.views import (
    action,
    actions,
    cancel_waiting,
    choices,
    undo_action,
    waiting,
    why,
)

urlpatterns = [
    path("actions/", actions, name="actions"),
    path("actions/<uuid:action_id>/", action, name="action"),
    path("actions/<uuid:action_id>/undo/", undo_action, name="undo-action"),
    path("choices/", choices, name="choices"),
    path("why/<str:login_id>/", why, name="why"),
    path("waiting/", waiting, name="waiting"),
    path("waiting/<int:waiting_id>/cancel/", cancel_waiting, name="cancel-waiting"),
    path("interval/<int:interval_id>/correct/", correct_interval, name="correct-interval"),
]
