"""What processes count. Labels have few values each: never a user, a requestId or an address."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, values

from finesse.metrics.process_files import Value

values.ValueClass = Value
_NOWHERE = CollectorRegistry()
"""The numbers are read from the files (`exposition`), not from the objects of one process."""

_QUICK = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_SLOW = (0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 30.0, 120.0, 600.0)

answers = Counter(
    "finesse_answers",
    "Answers by HTTP, by kind (api, page) and status. Without those that no view has seen: bytes "
    "that are no HTTP, bodies that come too slowly.",
    ["kind", "status"],
    registry=_NOWHERE,
)
answer_seconds = Histogram(
    "finesse_answer_seconds",
    "Time from a request that was read to its answer, without the time in which it is sent.",
    ["kind"],
    buckets=_QUICK,
    registry=_NOWHERE,
)
apply_seconds = Histogram(
    "finesse_apply_seconds",
    "Time from accepting a request to the commit of its outcome, by subject (media, desktop).",
    ["subject"],
    buckets=_QUICK,
    registry=_NOWHERE,
)
publish_seconds = Histogram(
    "finesse_publish_seconds",
    "Age of the oldest notification of a batch when a transport had taken the batch.",
    ["transport"],
    buckets=_QUICK,
    registry=_NOWHERE,
)
task_seconds = Histogram(
    "finesse_task_seconds",
    "Time that a worker took for a task, by task (apply_requests, sweep, count_use, prune, …).",
    ["task"],
    buckets=_SLOW,
    registry=_NOWHERE,
)
task_failures = Counter(
    "finesse_task_failures",
    "Tasks that ended in an error; the next one tries again.",
    ["task"],
    registry=_NOWHERE,
)
pruned_rows = Counter(
    "finesse_pruned_rows",
    "Rows deleted since they were older than their retention, by table.",
    ["table"],
    registry=_NOWHERE,
)
sockets = Gauge(
    "finesse_sockets",
    "Clients that are connected, by kind: viewer, xmpp (over WebSocket), component (by way of an "
    "XMPP server).",
    ["kind"],
    multiprocess_mode="livesum",
    registry=_NOWHERE,
)
subscriptions = Counter(
    "finesse_subscriptions",
    "Beginnings of a client's notifications: live, replayed (it named a place and got what it had "
    "missed), reset (it has to read the state anew), restored (reset while connected, since the "
    "database was restored).",
    ["start"],
    registry=_NOWHERE,
)
RESTORED = "restored"


def begin_subscriptions() -> None:
    """All are there from 0 on: of a series that appears with 1,000, no increase is known."""
    for start in ("live", "replayed", "reset", RESTORED):
        subscriptions.labels(start)


password_checks = Gauge(
    "finesse_password_checks",
    "Password checks, by state: waiting, running.",
    ["state"],
    multiprocess_mode="livesum",
    registry=_NOWHERE,
)
password_results = Counter(
    "finesse_password_checks_done",
    "Password checks, by result: right, wrong, refused (too many were waiting). A password that "
    "was verified lately is not checked.",
    ["result"],
    registry=_NOWHERE,
)
