"""supervisord, whose listening sockets stay open for as long as it runs.

By itself it closes a kind's socket when none of its processes is left, and opens it anew for the
next. If a child of a dead process still has it (a worker of gunicorn notices after a second that
its master was killed), that fails, and supervisord ends: nobody is left to start anything again.
"""

from typing import Any

import supervisor.process
from supervisor.socket_manager import SocketManager
from supervisor.supervisord import main


class KeptSocketManager(SocketManager):  # type: ignore[misc]
    """Never closes: between two processes of a kind connections wait, and none is refused."""

    def get_socket(self) -> Any:
        if not self.is_prepared():
            # One more reference than there are processes.
            self.ref_ctr.increment()
        return super().get_socket()


if __name__ == "__main__":
    supervisor.process.SocketManager = KeptSocketManager
    main()
