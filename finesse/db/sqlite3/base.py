"""A database file is private from its first moment: it holds password hashes and sessions.

SQLite itself would make it as the umask says. The files that it puts beside a database (-wal, -shm,
-journal) get the mode of the database.
"""

from pathlib import Path
from typing import Any

from django.db.backends.sqlite3 import base

from finesse import wait_limit
from finesse.private_files import make_empty_file


class DatabaseWrapper(base.DatabaseWrapper):
    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        if not self.is_in_memory_db():
            # An empty file is an empty database.
            make_empty_file(Path(conn_params["database"]))
        if wait_limit.left(wait_limit.DATABASE) is not None:
            # A thread that serves requests: it waits no longer than these for another's lock.
            conn_params = {**conn_params, "timeout": wait_limit.REQUEST_SECONDS}
        return super().get_new_connection(conn_params)
