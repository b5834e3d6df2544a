"""The threads in which a server with an event loop asks who a client is.

They check the passwords of viewers and of XMPP clients, and look up who sends a large form.
"""

from concurrent.futures import ThreadPoolExecutor

THREADS = 16
"""More than may wait for password checks, so that users whose password is remembered need not wait
for them. Each keeps a database connection (`finesse.production.processes` counts them)."""
POOL = ThreadPoolExecutor(THREADS, thread_name_prefix="sign-in")
