"""Processes that `production` has started say when they have begun to work.

A process that lives does not work yet: on a busy machine it may take half a minute to load. A
rolling restart waits for this, so that one process of each kind works all the time.
"""

import os
from pathlib import Path

FOLDER_VARIABLE = "FINESSE_READY_DIR"
NAME_VARIABLE = "SUPERVISOR_PROCESS_NAME"
"""Set by supervisord."""


def announce() -> None:
    """This process works from now on. Without `production` nobody wants to know. Raises OSError."""
    folder, name = os.environ.get(FOLDER_VARIABLE), os.environ.get(NAME_VARIABLE)
    if folder and name:
        mark(Path(folder), name).touch()


def mark(folder: Path, name: str) -> Path:
    """The file that is there when the process of this name works."""
    return folder / name
