"""Base classes of models."""

from typing import Any

from django.db import models, transaction


class SavedWhole(models.Model):
    """Saved in one transaction with the work of its signals: they take a lock before, and write a
    notification or a count after. Django's own transaction does not include them."""

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        with transaction.atomic(using=kwargs.get("using")):
            super().save(*args, **kwargs)
