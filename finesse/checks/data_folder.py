"""Whether other users of the machine can read the service's data."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Tags, Warning, register

from finesse.private_files import OTHERS, is_shared, open_to_others


@register(Tags.security)
def check_data_folder_is_private(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Each start makes it private; this names what it could not or would not change."""
    folder = Path(settings.FINESSE_DATA_DIR)
    # Nobody enters what is closed, whatever is in it.
    if not folder.is_dir() or not folder.stat().st_mode & OTHERS:
        return []
    path = folder if is_shared(folder) else next(open_to_others(folder), None)
    if path is None:
        return []
    return [
        Warning(
            f"Other users of this machine may read {path}: passwords' hashes, sessions and keys "
            "are in FINESSE_DATA_DIR.",
            hint="Give the service a folder of its own, owned by the user that runs it.",
            id="finesse.W004",
        )
    ]
