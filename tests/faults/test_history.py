"""The checker believes an honest history, and finds each kind of lie."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from finesse.api.errors import TABLE
from media.models import VOICE_MRD
from media.states import (
    Change,
    DesktopSession,
    MediaSession,
    Options,
    Requested,
    State,
    decide,
    decide_session,
)
from tests.faults.history import (
    CHANGED,
    ERROR,
    IGNORED,
    Entry,
    Followed,
    History,
    Interval,
    Kind,
    Operation,
    Restored,
    Shown,
    Stored,
    check,
    shown,
    source_of,
)

ANA, BEN = ("1234", 5001), ("1235", 5000)
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
BEFORE = 100
"""The head of the log before."""
OPTIONS = Options(max_dialog_limit=5, interrupt_action="ACCEPT")
ASKED = [
    (ANA, Change(requested=Requested.LOGIN, options=OPTIONS)),
    (BEN, Change(requested=Requested.READY)),  # Not signed in: an error.
    (ANA, Change(requested=Requested.READY)),
    (ANA, Change(requested=Requested.READY)),  # Nothing changes.
    (BEN, Change(requested=Requested.LOGIN, options=OPTIONS)),
    (ANA, Change(requested=Requested.NOT_READY, reason_code=1001)),
    (BEN, Change(requested=Requested.LOGOUT, reason_code=2)),
    (ANA, Change(requested=Requested.NOT_READY, reason_code=1002)),
]
SIGNED_OUT = MediaSession(state=State.LOGOUT)


def node_of(login_id: str) -> str:
    return f"/finesse/api/User/{login_id}/Media"


def honest() -> History:
    """Each of `ASKED` sent when the one before was answered, each a batch of its own."""
    sessions = {ANA: SIGNED_OUT, BEN: SIGNED_OUT}
    intervals: dict[Any, list[Interval]] = {
        # Ana's history has begun before, Ben's has not.
        ANA: [Interval(key=ANA, state="LOGOUT", reason=None, started_at=BEGAN, ended_at=None)],
        BEN: [],
    }
    operations, stored, log = [], [], []
    for number, (key, change) in enumerate(ASKED):
        name, at = f"r-{number}", BEGAN + timedelta(seconds=1 + number)
        now = sessions[key]
        decision = decide(now, change)
        after = sessions[key] = decision.session
        outcome = ERROR if decision.error else CHANGED if after != now else IGNORED
        position = None
        if outcome != IGNORED:
            position = BEFORE + 1 + len(log)
            log.append(
                Entry(
                    number=position * 100_000 + 7,
                    position=position,
                    node=node_of(key[0]),
                    source=source_of(key),
                    request_id=name,
                    shown=shown(after) if outcome == CHANGED else None,
                )
            )
        if (now.state, now.reason_code) != (after.state, after.reason_code):
            signs_out = after.state is State.LOGOUT
            reason = change.reason_code if signs_out else after.reason_code
            enter(intervals[key], key, after.state, reason, at)
        stored.append(
            Stored(
                id=number,
                request_id=name,
                key=key,
                change=change,
                outcome=outcome,
                error=TABLE[decision.error]().later_message if decision.error else "",
                position=position,
                applied_at=at,
            )
        )
        operations.append(
            Operation(request_id=name, key=key, invoked=number, answered=number + 0.5, status=202)
        )
    for name, status in (("refused", 400), ("away", 503), ("cut", None)):
        operations.append(Operation(request_id=name, key=ANA, invoked=50, status=status))
    return History(
        operations=operations,
        stored=stored,
        log=log,
        head_before=BEFORE,
        before={ANA: SIGNED_OUT, BEN: SIGNED_OUT},
        final={key: shown(session) for key, session in sessions.items()},
        intervals=intervals,
        had_interval={ANA},
        followers=[
            followed("all of it", None, log),
            followed("Ana's", frozenset({node_of("1234")}), log),
        ],
    )


def enter(
    intervals: list[Interval],
    key: tuple[str, int],
    state: State,
    reason: int | None,
    at: datetime,
) -> None:
    if intervals:
        intervals[-1] = replace(intervals[-1], ended_at=at)
    intervals.append(
        Interval(
            key=key,
            state=state.value,
            reason=reason,
            started_at=at,
            ended_at=None,
        )
    )


def followed(name: str, nodes: frozenset[str] | None, log: list[Entry]) -> Followed:
    numbers = [one.number for one in log if nodes is None or one.node in nodes]
    return Followed(name=name, after=BEFORE * 100_000 + 3, nodes=nodes, numbers=numbers)


def test_an_honest_history_is_believed() -> None:
    verdict = check(honest())
    assert verdict.findings == []
    assert verdict.answers == {"202": len(ASKED), "400": 1, "503": 1, "unknown": 1}
    assert verdict.recovered == 0


def test_a_cut_request_may_be_there() -> None:
    history = honest()
    operations = [replace(history.operations[0], status=None), *history.operations[1:]]
    verdict = check(replace(history, operations=operations))
    assert verdict.findings == []
    assert verdict.recovered == 1


def test_a_cut_request_of_a_former_round_may_come_late() -> None:
    history = honest()
    verdict = check(replace(history, operations=history.operations[1:], earlier={"r-0"}))
    assert verdict.findings == []
    assert verdict.recovered == 1


# --- lies ----------------------------------------------------------------------------------------


def changed(items: Any, at: int, **fields: Any) -> list[Any]:
    return [replace(one, **fields) if n == at else one for n, one in enumerate(items)]


def without(items: Any, at: int) -> list[Any]:
    return [one for n, one in enumerate(items) if n != at]


def a_202_is_not_there(of: History) -> History:
    return replace(of, stored=without(of.stored, 3))


def a_202_has_no_outcome(of: History) -> History:
    return replace(of, stored=changed(of.stored, 3, outcome=None, applied_at=None))


def a_notification_is_missing(of: History) -> History:
    return replace(of, log=without(of.log, len(of.log) - 1), followers=[])


def a_202_is_there_twice(of: History) -> History:
    return replace(of, stored=[*of.stored, replace(of.stored[3], id=99)])


def a_notification_is_there_twice(of: History) -> History:
    last = of.log[-1]
    again = replace(last, position=last.position + 1, number=last.number + 100_000)
    return replace(of, log=[*of.log, again], followers=[])


def a_503_was_applied(of: History) -> History:
    return replace(of, operations=changed(of.operations, 0, status=503))


def a_400_was_applied(of: History) -> History:
    return replace(of, operations=changed(of.operations, 0, status=400))


def nobody_has_asked(of: History) -> History:
    return replace(of, operations=without(of.operations, 0))


def a_later_request_comes_before_an_earlier_one(of: History) -> History:
    """Ana's and Ben's: the tables alone would not show it."""
    return replace(of, operations=changed(of.operations, 4, invoked=2.2, answered=2.4))


def positions_are_not_those_of_the_order(of: History) -> History:
    swapped = changed(of.stored, 5, position=of.stored[6].position)
    return replace(of, stored=changed(swapped, 6, position=of.stored[5].position))


def a_position_is_missing(of: History) -> History:
    beyond = [replace(one, position=one.position + 1) for one in of.log[3:]]
    return replace(of, log=[*of.log[:3], *beyond])


def an_outcome_is_not_that_of_the_table(of: History) -> History:
    return replace(of, stored=changed(of.stored, 1, outcome=CHANGED, error=""))


def an_error_is_another(of: History) -> History:
    return replace(of, stored=changed(of.stored, 1, error="Another"))


def a_notification_shows_another_state(of: History) -> History:
    return replace(of, log=changed(of.log, 2, shown=Shown("READY", -1, False)))


def the_last_get_is_another(of: History) -> History:
    return replace(of, final={**of.final, ANA: Shown("NOT_READY", 1001, True)})


def between_intervals_is_a_gap(of: History) -> History:
    ana = of.intervals[ANA]
    later = changed(ana, 0, ended_at=ana[0].ended_at - timedelta(seconds=0.5))
    return replace(of, intervals={**of.intervals, ANA: later})


def intervals_overlap(of: History) -> History:
    ana = of.intervals[ANA]
    later = changed(ana, 1, ended_at=ana[1].ended_at + timedelta(seconds=0.5))
    return replace(of, intervals={**of.intervals, ANA: later})


def an_interval_is_missing(of: History) -> History:
    return replace(of, intervals={**of.intervals, ANA: without(of.intervals[ANA], 2)})


def the_last_interval_is_over(of: History) -> History:
    ben = of.intervals[BEN]
    ended = changed(ben, len(ben) - 1, ended_at=BEGAN + timedelta(days=1))
    return replace(of, intervals={**of.intervals, BEN: ended})


def of_the_follower(change: Callable[[list[int]], list[int]]) -> Callable[[History], History]:
    def tampered(of: History) -> History:
        everything, ana = of.followers
        return replace(of, followers=[everything, replace(ana, numbers=change([*ana.numbers]))])

    return tampered


LIES = [
    (a_202_is_not_there, Kind.LOST),
    (a_202_has_no_outcome, Kind.LOST),
    (a_notification_is_missing, Kind.LOST),
    (a_202_is_there_twice, Kind.DUPLICATED),
    (a_notification_is_there_twice, Kind.DUPLICATED),
    (a_503_was_applied, Kind.AWAY_APPLIED),
    (a_400_was_applied, Kind.REFUSED_APPLIED),
    (nobody_has_asked, Kind.UNEXPECTED),
    (a_later_request_comes_before_an_earlier_one, Kind.OUT_OF_ORDER),
    (positions_are_not_those_of_the_order, Kind.OUT_OF_ORDER),
    (a_position_is_missing, Kind.GAP),
    (an_outcome_is_not_that_of_the_table, Kind.WRONG),
    (an_error_is_another, Kind.WRONG),
    (a_notification_shows_another_state, Kind.WRONG),
    (the_last_get_is_another, Kind.WRONG),
    (between_intervals_is_a_gap, Kind.HISTORY),
    (intervals_overlap, Kind.HISTORY),
    (an_interval_is_missing, Kind.HISTORY),
    (the_last_interval_is_over, Kind.HISTORY),
]
LIES_OF_A_FOLLOWER = {
    "one is missing": (lambda got: got[:1] + got[2:], Kind.LOST),
    "the last one is missing": (lambda got: got[:-1], Kind.LOST),
    "one comes twice": (lambda got: got[:2] + got[1:], Kind.DUPLICATED),
    "two change places": (lambda got: [got[1], got[0], *got[2:]], Kind.OUT_OF_ORDER),
    "one is Ben's": (lambda got: [got[0], 102 * 100_000 + 7, *got[1:]], Kind.UNEXPECTED),
    "one has other check digits": (lambda got: [got[0] + 1, *got[1:]], Kind.UNEXPECTED),
}


@pytest.mark.parametrize(("lie", "kind"), LIES, ids=lambda one: getattr(one, "__name__", ""))
def test_each_lie_of_the_service_is_found(lie: Callable[[History], History], kind: Kind) -> None:
    assert kind in {found for found, _ in check(lie(honest())).findings}


@pytest.mark.parametrize("lie", LIES_OF_A_FOLLOWER)
def test_each_thing_that_a_follower_was_not_told_rightly_is_found(lie: str) -> None:
    change, kind = LIES_OF_A_FOLLOWER[lie]
    verdict = check(of_the_follower(change)(honest()))
    assert kind in {found for found, _ in verdict.findings}


def test_a_client_of_xmpp_has_an_order_on_each_node_only() -> None:
    history = honest()
    everything = history.followers[0]
    by_node = sorted(
        ((one.node, one.number) for one in history.log), key=lambda pair: (pair[0], pair[1])
    )
    of_xmpp = replace(
        everything,
        by_node=True,
        numbers=[number for _, number in by_node],
        seen_nodes=[node for node, _ in by_node],
    )
    assert of_xmpp.numbers != everything.numbers
    assert check(replace(history, followers=[of_xmpp])).findings == []
    backwards = replace(
        of_xmpp,
        numbers=list(reversed(of_xmpp.numbers)),
        seen_nodes=list(reversed(of_xmpp.seen_nodes)),
    )
    found = check(replace(history, followers=[backwards])).findings
    assert Kind.OUT_OF_ORDER in {kind for kind, _ in found}


# --- desktops, and what follows from their sign-out ---

DESK = ("1234", VOICE_MRD)
USER = "/finesse/api/User/1234"
TEAM = "/finesse/api/Team/1/Users"
IN = Change(requested=Requested.LOGIN, extension="1001")
OUT = Change(requested=Requested.FORCED_LOGOUT)


def with_a_desktop() -> History:
    """Ana's desktop signs in; a supervisor signs her out, and of her Media, too, in one batch."""
    history = honest()
    now: Any = DesktopSession(state=State.LOGOUT)
    media = history.before[ANA]
    for one in history.stored:
        if one.key == ANA:
            media = decide(media, one.change).session
    stored, log, operations = [*history.stored], [*history.log], [*history.operations]
    intervals: dict[Any, list[Interval]] = {**history.intervals, DESK: []}  # type: ignore[dict-item]
    at = BEGAN + timedelta(seconds=30)

    def tell(node: str, source: str, name: str, seen: Shown | None) -> int:
        position = log[-1].position + 1
        number = position * 100_000 + 7
        log.append(
            Entry(
                number=number,
                position=position,
                node=node,
                source=source,
                request_id=name,
                shown=seen,
            )
        )
        return position

    for number, change in enumerate((IN, OUT)):
        at, name = at + timedelta(seconds=1), f"d-{number}"
        now = decide_session(now, change).session
        position = tell(USER, USER, name, shown(now))
        tell(TEAM, USER, name, shown(now))
        fields: Any = {"outcome": CHANGED, "applied_at": at}
        stored.append(
            Stored(
                id=20 + number,
                request_id=name,
                key=DESK,
                change=change,
                position=position,
                **fields,
            )
        )
        enter(intervals[DESK], DESK, now.state, now.reason_code, at)
        operations.append(
            Operation(
                request_id=name,
                key=DESK,
                invoked=60 + number,
                answered=60.5 + number,
                status=202,
            )
        )
    media = decide(media, OUT).session
    position = tell(node_of("1234"), source_of(ANA), "", shown(media))
    stored.append(
        Stored(
            id=30, request_id="", key=ANA, change=OUT, position=position, is_named=False, **fields
        )
    )
    enter(intervals[ANA], ANA, media.state, media.reason_code, at)
    return replace(
        history,
        operations=operations,
        stored=stored,
        log=log,
        before={**history.before, DESK: DesktopSession(state=State.LOGOUT)},
        final={**history.final, ANA: shown(media), DESK: shown(now)},
        intervals=intervals,
        followers=[followed("all but teams", None, [one for one in log if one.node != TEAM])],
    )


def test_a_desktop_that_takes_its_media_along_is_believed() -> None:
    assert check(with_a_desktop()).findings == []


def the_team_is_not_told(of: History) -> History:
    at = next(n for n, one in enumerate(of.log) if one.node == TEAM)
    return replace(of, log=without(of.log, at))


def a_media_is_left_signed_in(of: History) -> History:
    return replace(of, stored=of.stored[:-1])


def a_media_is_signed_out_for_nothing(of: History) -> History:
    again = replace(of.stored[-1], id=31, position=of.log[-1].position + 1)
    return replace(of, stored=[*of.stored, again])


def a_desktop_is_shown_otherwise(of: History) -> History:
    return replace(of, final={**of.final, DESK: Shown("READY", -1, None)})


def a_follower_gets_a_teams_users(of: History) -> History:
    return replace(of, followers=[followed("all", None, list(of.log))])


@pytest.mark.parametrize(
    ("lie", "kind"),
    [
        (the_team_is_not_told, Kind.LOST),
        (a_media_is_left_signed_in, Kind.LOST),
        (a_media_is_signed_out_for_nothing, Kind.UNEXPECTED),
        (a_desktop_is_shown_otherwise, Kind.WRONG),
        (a_follower_gets_a_teams_users, Kind.UNEXPECTED),
    ],
)
def test_each_lie_about_a_desktop_is_found(lie: Callable[[History], History], kind: Kind) -> None:
    assert kind in {found for found, _ in check(lie(with_a_desktop())).findings}


def test_a_row_of_an_action_on_the_board_is_told_without_its_name() -> None:
    history = honest()
    stored = changed(history.stored, 0, is_named=False)
    unnamed = changed(history.log, 0, request_id="")
    assert check(replace(history, stored=stored, log=unnamed)).findings == []
    assert Kind.WRONG in {kind for kind, _ in check(replace(history, stored=stored)).findings}


# --- a backup in the place of the database ---

KEPT = 3
"""Of the notifications, which the backup has; two others are gone."""


def after_a_restore() -> History:
    """Two requests came after the backup, and are gone; all followers had seen what they did."""
    history = honest()
    gone = [
        replace(one, number=one.number + 11, request_id=f"gone-{one.position}")
        for one in history.log[KEPT : KEPT + 2]
    ]
    lost = [
        Operation(request_id=one.request_id, key=ANA, invoked=3.1, answered=3.2, status=202)
        for one in gone
    ]
    followers = []
    for one in history.followers:
        was = [*history.log[:KEPT], *gone]
        until = followed(f"{one.name}, before", one.nodes, [e for e in was if one.may_see(e)])
        since = [e for e in history.log[KEPT:] if one.may_see(e)]
        begun = replace(followed(one.name, one.nodes, since), after=history.log[KEPT - 1].number)
        followers.append(replace(begun, until_reset=until))
    return replace(
        history,
        operations=[*history.operations, *lost],
        followers=followers,
        restored=Restored(kept=BEFORE + KEPT, gone=gone, begun=3.0, over=3.4),
    )


def test_what_came_after_a_backup_may_be_gone_where_everybody_was_told() -> None:
    verdict = check(after_a_restore())
    assert verdict.findings == []
    assert verdict.gone == 2


def was_accepted_before_the_backup(of: History) -> History:
    last = of.operations[-1]
    return replace(of, operations=[*of.operations[:-1], replace(last, answered=2.9)])


def was_sent_after_the_restore(of: History) -> History:
    last = of.operations[-1]
    return replace(of, operations=[*of.operations[:-1], replace(last, invoked=3.5)])


def of_one(change: Callable[[Followed], Followed]) -> Callable[[History], History]:
    return lambda of: replace(of, followers=[change(of.followers[0]), *of.followers[1:]])


def _until(one: Followed) -> Followed:
    assert one.until_reset
    return one.until_reset


IN_A_RESTORE: dict[str, tuple[Callable[[History], History], Kind]] = {
    "what the backup must have": (was_accepted_before_the_backup, Kind.LOST),
    "what came after it": (was_sent_after_the_restore, Kind.LOST),
    "one was not told": (
        of_one(
            lambda one: replace(
                one,
                after=_until(one).after,
                numbers=[*_until(one).numbers, *one.numbers],
                until_reset=None,
            )
        ),
        Kind.UNEXPECTED,
    ),
    "one was told twice": (
        of_one(lambda one: replace(one, until_reset=replace(_until(one), until_reset=_until(one)))),
        Kind.LOST,
    ),
    "one had a gap before": (
        of_one(
            lambda one: replace(
                one, until_reset=replace(_until(one), numbers=_until(one).numbers[1:])
            )
        ),
        Kind.LOST,
    ),
    "one has a gap since": (of_one(lambda one: replace(one, numbers=one.numbers[1:])), Kind.LOST),
    "there was no restore": (lambda of: replace(of, restored=None), Kind.LOST),
}


@pytest.mark.parametrize("lie", IN_A_RESTORE)
def test_a_restore_excuses_nothing_else(lie: str) -> None:
    change, kind = IN_A_RESTORE[lie]
    assert kind in {found for found, _ in check(change(after_a_restore())).findings}
