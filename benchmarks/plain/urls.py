from django.urls import path

from benchmarks.plain.views import MediaView

urlpatterns = [
    path("finesse/api/User/<str:login_id>/Media/<int:mrd_id>", MediaView.as_view()),
]
