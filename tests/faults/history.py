"""The checker: whether what clients, followers and the database hold can be one true story.

The log of the service is the order that it claims, so nothing has to be searched: each promise is
looked up in one pass. Nothing here knows how the records were made, or which fault there was.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from itertools import pairwise
from typing import Any, TypeAlias

from finesse.api.errors import TABLE
from finesse.notifications.nodes import team_of
from media.models import VOICE_MRD
from media.states import (
    Change,
    Decision,
    DesktopSession,
    MediaSession,
    Requested,
    State,
    decide,
    decide_session,
)

Key: TypeAlias = tuple[str, int]
"""Login id and MRD id of a Media; with the voice MRD's id that of a desktop."""
Session: TypeAlias = MediaSession | DesktopSession
SIGN_OUTS = frozenset({Requested.LOGOUT, Requested.FORCED_LOGOUT})
NO_REASON = -1
"""What clients read as `reasonCodeId` when there is none."""
ACCEPTED, OUT_OF_SERVICE = 202, 503
CHANGED, IGNORED, ERROR = "changed", "ignored", "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """What a client did, and what it was told. Times are those of one monotonic clock."""

    request_id: str
    key: Key
    invoked: float
    answered: float = float("inf")
    status: int | None = None
    """None: the connection was cut or silent, and the client knows nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """An accepted request, as the database has it."""

    id: int
    request_id: str
    """As the operation has it. Empty: nobody has asked, it follows from a desktop's sign-out."""
    key: Key
    change: Change
    outcome: str | None
    error: str = ""
    position: int | None = None
    applied_at: datetime | None = None
    is_named: bool = True
    """Whether its client has named it, so that its notification does, too."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What clients read of a Media or of a desktop."""

    state: str
    reason: int
    routable: bool | None
    """None of a desktop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A notification in the log."""

    number: int
    """As clients know it: its position and its check digits."""
    position: int
    node: str
    source: str
    request_id: str
    shown: Shown | None = None
    """None: an error, or about something else than a Media or a desktop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    key: Key
    state: str
    reason: int | None
    started_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """What one follower got, in the order in which it came."""

    name: str
    after: int
    """The number of the notification that it followed on."""
    nodes: frozenset[str] | None
    """What it may see; None: everything."""
    numbers: Sequence[int]
    by_node: bool = False
    """It has an order on each node only, as a client of XMPP that comes back has."""
    seen_nodes: Sequence[str] = ()
    """Of each number, where `by_node`."""
    until_reset: "Followed | None" = None
    """What it had got when it was told `reset`; the rest is what came since then."""

    def may_see(self, entry: Entry) -> bool:
        if self.nodes is None:
            # The users of a team are told to those who have subscribed to that.
            return team_of(entry.node) is None
        return entry.node in self.nodes


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """A backup took the place of the database in the midst of the round."""

    kept: int
    """The last position that the backup has."""
    gone: Sequence[Entry]
    """What the log had behind it."""
    begun: float
    """What was answered before is in the backup."""
    over: float
    """What was sent later came into the restored database."""

    def may_be_gone(self, operation: Operation) -> bool:
        return operation.answered >= self.begun and operation.invoked <= self.over


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    operations: Sequence[Operation]
    stored: Sequence[Stored]
    """By id."""
    log: Sequence[Entry]
    """By position."""
    head_before: int
    """The position behind which the log begins."""
    before: Mapping[Key, Session]
    final: Mapping[Key, Shown]
    """What a GET answers when all is over."""
    intervals: Mapping[Key, Sequence[Interval]]
    """Of each Media, the one that was open before, if there was one, and those since."""
    had_interval: Collection[Key]
    """The Media that had an open one before."""
    followers: Sequence[Followed]
    earlier: Collection[str] = ()
    """Requests of former rounds of which their clients know nothing: they may come late."""
    by_the_clock: bool = True
    """Whether times of day follow one another; not when the round has set clocks."""
    restored: Restored | None = None


class Kind(StrEnum):
    LOST = "lost"
    DUPLICATED = "duplicated"
    OUT_OF_ORDER = "out of order"
    REFUSED_APPLIED = "refused, yet applied"
    AWAY_APPLIED = "503, yet applied"
    UNEXPECTED = "nobody has asked for it"
    WRONG = "not what the tables say"
    GAP = "gap in the log"
    HISTORY = "wrong intervals"


@dataclass(slots=True)
class Verdict:
    answers: Counter[str] = field(default_factory=Counter)
    """Operations by their answer: `202`, `400`, …; `unknown` where there was none."""
    recovered: int = 0
    """Of the unknown, those that were applied."""
    gone: int = 0
    """Of the accepted, those that came after the backup which was restored."""
    findings: list[tuple[Kind, str]] = field(default_factory=list)
    """All that contradicts a promise."""

    def add(self, kind: Kind, text: str) -> None:
        self.findings.append((kind, text))

    def count(self, kind: Kind) -> int:
        return sum(found is kind for found, _ in self.findings)


def check(history: History) -> Verdict:
    """Look at every promise once."""
    verdict = Verdict()
    _outcomes(history, verdict)
    _log(history, verdict)
    order = in_order(history)
    _real_time(history, order, verdict)
    _folded(history, order, verdict)
    for follower in history.followers:
        _told(history, follower, verdict)
    return verdict


def _outcomes(history: History, verdict: Verdict) -> None:
    """Every 202 has one outcome, every refusal none, every cut connection none or one."""
    stored: defaultdict[str, list[Stored]] = defaultdict(list)
    for one in history.stored:
        if one.request_id:
            stored[one.request_id].append(one)
        elif one.outcome is None:
            verdict.add(Kind.LOST, f"{one} has no outcome")
    for operation in history.operations:
        rows = stored.pop(operation.request_id, [])
        status = operation.status
        verdict.answers[str(status or "unknown")] += 1
        if len(rows) > 1:
            verdict.add(Kind.DUPLICATED, f"{operation} is there {len(rows)} times")
        if any(row.outcome is None for row in rows):
            verdict.add(Kind.LOST, f"{operation} has no outcome")
        if status == ACCEPTED and not rows:
            if history.restored and history.restored.may_be_gone(operation):
                verdict.gone += 1
                continue
            verdict.add(Kind.LOST, f"{operation} was accepted and is not there")
        elif status is None:
            verdict.recovered += len(rows[:1])
        elif status != ACCEPTED and rows:
            is_away = status == OUT_OF_SERVICE
            kind = Kind.AWAY_APPLIED if is_away else Kind.REFUSED_APPLIED
            verdict.add(kind, f"{operation}: {rows[0]}")
    for request_id, rows in stored.items():
        if request_id in history.earlier and len(rows) == 1:
            verdict.recovered += 1
        else:
            verdict.add(Kind.UNEXPECTED, f"{rows}")


def _log(history: History, verdict: Verdict) -> None:
    """Positions are contiguous, and each outcome has the one notification that it names."""
    positions = [entry.position for entry in history.log]
    wanted = range(history.head_before + 1, history.head_before + 1 + len(positions))
    if positions != [*wanted]:
        verdict.add(Kind.GAP, f"behind {history.head_before}: {positions}")
    at = {entry.position: entry for entry in history.log}
    for one in history.stored:
        if one.outcome in (None, IGNORED):
            continue
        entry = at.pop(one.position or 0, None)
        if entry is None:
            verdict.add(Kind.LOST, f"The notification of {one}")
        elif (entry.request_id, entry.source) != (_told_id(one), source_of(one.key)):
            verdict.add(Kind.WRONG, f"{entry} for {one}")
        elif one.key[1] == VOICE_MRD and one.outcome == CHANGED:
            _of_team(entry, at.pop(entry.position + 1, None), verdict)
    known = {one.request_id for one in history.stored}
    for entry in at.values():
        if entry.request_id and entry.request_id in known:
            verdict.add(Kind.DUPLICATED, f"{entry}")
        elif "/User/" in entry.source:
            verdict.add(Kind.UNEXPECTED, f"{entry}")


def _told_id(one: Stored) -> str:
    return one.request_id if one.is_named else ""


def _of_team(entry: Entry, following: Entry | None, verdict: Verdict) -> None:
    """The change of a desktop is sent to followers of the team's users, too, right behind it."""
    if following is None or team_of(following.node) is None:
        verdict.add(Kind.LOST, f"what tells the team of {entry}")
    elif (following.request_id, following.source) != (entry.request_id, entry.source):
        verdict.add(Kind.WRONG, f"{following} behind {entry}")


def source_of(key: Key) -> str:
    login_id, mrd_id = key
    of_user = f"/finesse/api/User/{login_id}"
    return of_user if mrd_id == VOICE_MRD else f"{of_user}/Media/{mrd_id}"


def in_order(history: History) -> list[Stored]:
    """The requests in the order in which the service says that it has applied them.

    By position; those that changed nothing have none, and stand by the time that all requests of a
    batch share. Where clocks were set, those whose batch has no position are left out. What
    follows from the sign-out of a desktop stands with that, and not here.
    """
    applied = [one for one in history.stored if one.applied_at is not None and one.request_id]
    first: dict[datetime, int] = {}
    for one in history.stored:
        if one.position is not None and one.applied_at is not None:
            first[one.applied_at] = min(one.position, first.get(one.applied_at, one.position))
    if history.by_the_clock:
        return sorted(applied, key=lambda one: (one.applied_at, one.id))
    placed = [one for one in applied if one.applied_at in first]
    return sorted(placed, key=lambda one: (first[one.applied_at], one.id))  # type: ignore[index]


def _real_time(history: History, order: Sequence[Stored], verdict: Verdict) -> None:
    """What was answered before another was sent comes before it. Positions say so, too."""
    sent = {one.request_id: one for one in history.operations}
    earliest_answer, of = float("inf"), None
    for one in reversed(order):
        operation = sent.get(one.request_id)
        if operation is None:
            continue
        if operation.invoked > earliest_answer:
            verdict.add(Kind.OUT_OF_ORDER, f"{operation} was applied before {of}")
        if operation.status == ACCEPTED and operation.answered < earliest_answer:
            earliest_answer, of = operation.answered, operation
    positions = [one.position for one in order if one.position is not None]
    if positions != sorted(positions):
        verdict.add(Kind.OUT_OF_ORDER, f"the positions {positions}")


# --- the tables ----------------------------------------------------------------------------------


@dataclass
class _Fold:
    """The transition tables, request by request, beside what is stored and shown."""

    history: History
    verdict: Verdict

    def __post_init__(self) -> None:
        self.sessions = dict(self.history.before)
        self.entered: defaultdict[Key, list[tuple[str, int | None, datetime | None]]]
        self.entered = defaultdict(list)
        self._at = {entry.position: entry for entry in self.history.log}
        self.consequences = {
            (one.applied_at, one.key, one.position): one
            for one in self.history.stored
            if not one.request_id
        }
        """What followed from sign-outs of desktops, by batch and Media."""

    def apply(self, one: Stored) -> None:
        now = self.sessions[one.key]
        decision = _decide(now, one.change)
        after = self.sessions[one.key] = decision.session
        expected = _outcome_of(now, decision)
        if (one.outcome, one.error) != expected:
            self.verdict.add(Kind.WRONG, f"{one} in {now}, where {expected} follows")
        entry = self._at.get(one.position or 0)
        if one.outcome == CHANGED and entry and entry.shown != shown(after):
            self.verdict.add(Kind.WRONG, f"{entry} shows not {shown(after)}")
        if (now.state, now.reason_code) != (after.state, after.reason_code):
            # The reason of a sign-out is in the history alone.
            signs_out = after.state is State.LOGOUT
            reason = one.change.reason_code if signs_out else after.reason_code
            self.entered[one.key].append((after.state.value, reason, one.applied_at))
        is_sign_out = one.change.requested in SIGN_OUTS and not decision.error
        if is_sign_out and isinstance(after, DesktopSession):
            self._sign_out_of_mrds(one)

    def _sign_out_of_mrds(self, of: Stored) -> None:
        """The first that is stored of each Media, as the desktop may be signed out again in the
        same batch."""
        for key in sorted(self.sessions):
            is_signed_in = self.sessions[key].state is not State.LOGOUT
            if key[0] != of.key[0] or key[1] == VOICE_MRD or not is_signed_in:
                continue
            found = [one for one in self.consequences if one[:2] == (of.applied_at, key)]
            if found:
                self.apply(self.consequences.pop(min(found, key=lambda one: one[2] or 0)))
            else:
                self.verdict.add(Kind.LOST, f"{of} has not signed out of {key}")


def _decide(now: Session, change: Change) -> Decision[Any]:
    if isinstance(now, DesktopSession):
        return decide_session(now, change)
    return decide(now, change)


def _folded(history: History, order: Sequence[Stored], verdict: Verdict) -> None:
    """The transition tables, request by request, give all that is stored and shown."""
    fold = _Fold(history, verdict)
    for one in order:
        fold.apply(one)
    for one in fold.consequences.values():
        verdict.add(Kind.UNEXPECTED, f"{one}")
    for key, session in fold.sessions.items():
        if key in history.final and history.final[key] != shown(session):
            verdict.add(Kind.WRONG, f"{key} shows {history.final[key]}, not {shown(session)}")
        for text in _wrong_intervals(
            history.intervals.get(key, ()),
            session,
            fold.entered[key],
            had_one=key in history.had_interval,
            by_the_clock=history.by_the_clock,
        ):
            verdict.add(Kind.HISTORY, f"{key}: {text}")


def _outcome_of(now: Session, decision: Decision[Any]) -> tuple[str, str]:
    if decision.error:
        return ERROR, TABLE[decision.error]().later_message
    return (CHANGED if decision.session != now else IGNORED), ""


def shown(session: Session) -> Shown:
    """What clients read of a Media or a desktop in this session."""
    reason = NO_REASON if session.reason_code is None else session.reason_code
    routable = session.routable if isinstance(session, MediaSession) else None
    return Shown(session.state.value, reason, routable)


def _wrong_intervals(
    found: Sequence[Interval],
    session: Session,
    entered: Sequence[tuple[str, int | None, datetime | None]],
    *,
    had_one: bool,
    by_the_clock: bool,
) -> Iterator[str]:
    new = found[1:] if had_one else found
    told = [(one.state, one.reason, one.started_at) for one in new]
    if told != [*entered]:
        yield f"{told} instead of {entered}"
    for one, following in pairwise(found):
        # A clock that was set back must not make an interval end before it began.
        if one.ended_at != following.started_at and (by_the_clock or one.ended_at is None):
            yield f"{one} does not touch {following}"
    if not found:
        if session.state is not State.LOGOUT:
            yield "there is none"
    elif found[-1].ended_at is not None:
        yield f"the last one, {found[-1]}, is over"


# --- followers -----------------------------------------------------------------------------------


def _told(history: History, follower: Followed, verdict: Verdict) -> None:
    """Only a restored backup makes a follower begin anew, and only if it has seen what is gone
    does it have to: up to there it got the log as it was, and from there on the one of now."""
    former, restored = follower.until_reset, history.restored
    if former is not None and (restored is None or former.until_reset is not None):
        verdict.add(Kind.LOST, f"{follower.name} was told 'reset'")
        return
    if former is not None and restored is not None:
        kept = [one for one in history.log if one.position <= restored.kept]
        last = max(former.numbers, default=former.after)
        was = [one for one in (*kept, *restored.gone) if one.number <= last]
        _followed(was, former, verdict)
    _followed(history.log, follower, verdict)


def _followed(log: Sequence[Entry], follower: Followed, verdict: Verdict) -> None:
    """A follower has got the log, filtered by its rights: nothing less, more, twice or later."""
    wanted = [one for one in log if follower.may_see(one) and one.number > follower.after]
    expected = [one.number for one in wanted]
    got = list(follower.numbers)
    for number, times in Counter(got).items():
        if times > 1:
            verdict.add(Kind.DUPLICATED, f"{number} came to {follower.name} {times} times")
    if missing := sorted({*expected} - {*got}):
        verdict.add(Kind.LOST, f"to {follower.name} did not come {_some(missing)}")
    if more := sorted({*got} - {*expected}):
        verdict.add(Kind.UNEXPECTED, f"to {follower.name} came {_some(more)}")
    for sequence in _sequences(follower):
        if sequence != sorted(sequence):
            verdict.add(Kind.OUT_OF_ORDER, f"to {follower.name} came {sequence}")


def _some(numbers: Sequence[int]) -> str:
    return f"{len(numbers)}, from {numbers[0]} to {numbers[-1]}: {[*numbers[:5]]}"


def _sequences(follower: Followed) -> list[list[int]]:
    if not follower.by_node:
        return [[*follower.numbers]]
    by_node: defaultdict[str, list[int]] = defaultdict(list)
    for node, number in zip(follower.seen_nodes, follower.numbers, strict=True):
        by_node[node].append(number)
    return list(by_node.values())
