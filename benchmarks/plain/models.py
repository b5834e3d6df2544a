from django.conf import settings
from django.db import models


class ReasonCode(models.Model):
    category = models.CharField(max_length=9)
    code = models.PositiveIntegerField()
    label = models.CharField(max_length=40)


class Media(models.Model):
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    mrd_id = models.PositiveIntegerField()
    state = models.CharField(max_length=11)
    state_change_time = models.DateTimeField(null=True)
    reason_code = models.ForeignKey(ReasonCode, on_delete=models.PROTECT, null=True)

    class Meta:
        unique_together = ("user", "mrd_id")


class StateInterval(models.Model):
    media = models.ForeignKey(Media, on_delete=models.CASCADE)
    state = models.CharField(max_length=11)
    reason_code = models.ForeignKey(ReasonCode, on_delete=models.PROTECT, null=True)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
