"""Break rules are made, changed and deleted: what agents may choose from means something else then,
and places may be free."""

from typing import Any

from django.db.models.signals import post_delete, post_save, pre_delete, pre_save
from django.dispatch import receiver

from finesse.notifications import log
from finesse.notifications.models import Event
from finesse.notifications.nodes import TEAM_REASON_CODES
from media.break_tables import BreakRule
from media.changes.reason_codes import lists_of
from media.documents.updates import of_reason_code
from media.writing.writer import serve_queues


@receiver(pre_save, sender=BreakRule)
@receiver(pre_delete, sender=BreakRule)
def keep_the_writer_out(raw: bool = False, **kwargs: Any) -> None:
    """A rule never changes while the writer counts places."""
    if not raw:
        log.lock()


@receiver(post_save, sender=BreakRule)
@receiver(post_delete, sender=BreakRule)
def publish_changed_rule(instance: BreakRule, raw: bool = False, **kwargs: Any) -> None:
    """On the nodes of the reason code, as if its own times were others now."""
    if raw:
        return
    reason_code = instance.reason_code
    nodes = lists_of(reason_code)
    if instance.team_id is not None and nodes:
        nodes = {TEAM_REASON_CODES.format(id=instance.team_id)}
    if nodes:
        log.append(log.lock(), of_reason_code(reason_code, nodes, Event.PUT))
    serve_queues()
