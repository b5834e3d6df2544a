"""The threads in which sockets check passwords: those of viewers and of XMPP clients."""

from concurrent.futures import ThreadPoolExecutor

POOL = ThreadPoolExecutor(16, thread_name_prefix="sign-in")
"""More threads than may wait for password checks, so that users whose password is remembered need
not wait for them. Each keeps a database connection (SIGN_IN_CONNECTIONS in
`finesse.production.processes`)."""
