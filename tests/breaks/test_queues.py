"""A place in the queue of a break rule: who finds no place waits, and goes when one is free."""

import random
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.utils import timezone

from finesse.notifications.models import Notification
from finesse.notifications.nodes import WAITING_CHANGES
from finesse.users.models import Team, User
from media.break_tables import BreakRule, WhenFull
from media.breaks.queues import Queues
from media.models import Cause, Desktop, Media, MediaRequest
from media.overdue import act_on_limits
from media.states import Options, Requested
from media.supervision_tables import WaitingChange, WaitingOutcome, WaitsFor
from media.tasks import mind_limits
from media.writing import batch, outcomes, writer
from media.writing.requests import new_request
from reasoncodes.models import ReasonCode
from tests.breaks.conftest import asks, in_reason
from tests.conftest import PASSWORD
from tests.supervision.conftest import Page, undone

pytestmark = pytest.mark.usefixtures("own_layer")
MOVES = ("ask", "ask", "queue", "queue", "ready", "ready", "out", "in", "in", "rule")
OPTIONS = Options(max_dialog_limit=5, interrupt_action="ACCEPT")
Settle = Callable[[], list[Notification]]


@pytest.fixture
def rule(chat: Team, lunch: ReasonCode) -> BreakRule:
    """anna is in Lunch, and it is full."""
    made = BreakRule.objects.create(
        team=chat, reason_code=lunch, most_at_once=1, when_full=WhenFull.QUEUE
    )
    asks("anna", lunch)
    while writer.apply_pending():
        pass
    return made


def queue(login_id: str, reason: ReasonCode, mrd: int | None = 5001) -> Any:
    """Take a place in the queue, as one's own page does."""
    sent = {"mrdId": mrd, "requested": "NOT_READY", "reasonCode": reason.pk}
    return Page(login_id).post("waiting/", sent)


def ask(login_id: str, requested: Requested, mrd: int | None = 5001, **fields: Any) -> None:
    new_request(login_id, mrd, requested, cause=Cause.SELF, actor=login_id, **fields).save()


def waiting() -> list[str]:
    """Who waits, in the order of asking."""
    still = WaitingChange.objects.filter(outcome=None).order_by("pk")
    return list(still.values_list("login_id", flat=True))


def ends() -> dict[str, str | None]:
    return dict(WaitingChange.objects.order_by("pk").values_list("login_id", "outcome"))


# --- the turn -----------------------------------------------------------------------------------


def test_they_go_in_the_order_of_asking_each_in_the_batch_that_leaves_a_place(
    rule: BreakRule, lunch: ReasonCode, settle: Settle
) -> None:
    for login_id in ("axel", "alice"):
        assert queue(login_id, lunch).status_code == 202
    assert waiting() == ["axel", "alice"]
    ask("anna", Requested.READY)
    settle()
    assert in_reason(lunch) == [("axel", 5001)]
    ask("axel", Requested.LOGOUT)
    settle()
    assert in_reason(lunch) == [("alice", 5001)]
    assert ends() == {"axel": WaitingOutcome.APPLIED, "alice": WaitingOutcome.APPLIED}


def test_who_waits_goes_before_who_asks_in_the_same_batch(
    rule: BreakRule, lunch: ReasonCode, settle: Settle
) -> None:
    queue("axel", lunch)
    ask("anna", Requested.READY)
    asks("alice", lunch)
    settle()
    assert in_reason(lunch) == [("axel", 5001)]
    assert MediaRequest.objects.get(login_id="alice").outcome == "error"


def test_the_agent_is_told_by_the_media_and_its_context(
    rule: BreakRule, lunch: ReasonCode, settle: Settle
) -> None:
    settle()
    queue("axel", lunch)
    queue("alice", lunch)
    ask("anna", Requested.READY)
    told = settle()
    (of_media,) = [one for one in told if one.source == "/finesse/api/User/axel/Media/5001"]
    assert "<state>NOT_READY</state>" in of_media.update
    assert '"fromQueue": true' in of_media.context
    # alice hears that she is the first now.
    (*_, last) = [one for one in told if one.node == WAITING_CHANGES.format(id="alice")]
    assert "<place>1</place>" in last.update
    assert "<placeOf>1</placeOf>" in last.update


def test_a_place_that_the_turn_leaves_at_another_reason_is_taken_too(
    rule: BreakRule, chat: Team, lunch: ReasonCode, codes: dict[str, ReasonCode], settle: Settle
) -> None:
    coaching = codes["Coaching"]
    BreakRule.objects.create(
        team=chat, reason_code=coaching, most_at_once=1, when_full=WhenFull.QUEUE
    )
    asks("axel", coaching)
    settle()
    queue("alice", coaching)
    queue("axel", lunch)
    ask("anna", Requested.READY)
    settle()
    assert in_reason(lunch) == [("axel", 5001)]
    assert in_reason(coaching) == [("alice", 5001)]


def test_an_agent_waits_in_several_mrds_and_goes_in_all_with_one_place(
    rule: BreakRule, lunch: ReasonCode, settle: Settle
) -> None:
    Desktop.objects.create(
        user_id="alice", state="READY", state_change_time=timezone.now(), extension="1"
    )
    for mrd in (5000, 5001, None):
        assert queue("alice", lunch, mrd).status_code == 202
    queue("axel", lunch)
    of_axel = WaitingChange.objects.get(login_id="axel")
    assert Queues().place_of(of_axel) == (2, 2)
    ask("anna", Requested.READY)
    settle()
    assert in_reason(lunch) == [("alice", 5000), ("alice", 5001)]
    assert Desktop.objects.get().reason_code == lunch
    assert waiting() == ["axel"]


# --- what makes a place -------------------------------------------------------------------------


def raise_rule(rule: BreakRule) -> None:
    rule.most_at_once = 2
    rule.save()


def delete_rule(rule: BreakRule) -> None:
    rule.delete()


def delete_by_page(rule: BreakRule) -> None:
    carol = Client()
    carol.force_login(User.objects.get(pk="carol"))
    carol.post(f"/admin/media/breakrule/{rule.pk}/delete/", {"post": "yes"})


def past_the_models(rule: BreakRule) -> None:
    BreakRule.objects.update(most_at_once=5)
    mind_limits()


def move_anna(rule: BreakRule) -> None:
    anna = User.objects.get(pk="anna")
    anna.team = Team.objects.get(name="Back office")
    anna.save()


def delete_anna(rule: BreakRule) -> None:
    User.objects.get(pk="anna").delete()


def delete_team(rule: BreakRule) -> None:
    Team.objects.get(name="Chat").delete()


def take_out_of_mrd(rule: BreakRule) -> None:
    Media.objects.get(user="anna").delete()


def time_is_over(rule: BreakRule) -> None:
    BreakRule.objects.update(maximum_minutes=1, then="ready", then_after=0)
    Media.objects.filter(user="anna").update(
        state_change_time=timezone.now() - timezone.timedelta(minutes=2)
    )
    act_on_limits()


@pytest.mark.parametrize(
    "happens",
    [
        raise_rule,
        delete_rule,
        delete_by_page,
        past_the_models,
        move_anna,
        delete_anna,
        delete_team,
        take_out_of_mrd,
        time_is_over,
    ],
)
def test_whatever_frees_a_place_lets_the_next_one_in(
    rule: BreakRule, lunch: ReasonCode, happens: Callable[[BreakRule], None]
) -> None:
    queue("axel", lunch)
    assert ("axel", 5001) not in in_reason(lunch)
    happens(rule)
    assert ("axel", 5001) in in_reason(lunch)
    assert ends() == {"axel": WaitingOutcome.APPLIED}


def test_a_rolled_back_change_of_the_rule_lets_nobody_in(
    rule: BreakRule, lunch: ReasonCode
) -> None:
    queue("axel", lunch)
    with transaction.atomic():
        raise_rule(rule)
        transaction.set_rollback(True)
    assert in_reason(lunch) == [("anna", 5001)]
    assert waiting() == ["axel"]


# --- one outcome --------------------------------------------------------------------------------


def change_otherwise(rule: BreakRule, settle: Settle) -> None:
    ask("axel", Requested.NOT_READY)
    settle()


def set_by_supervisor(rule: BreakRule, settle: Settle) -> None:
    Page("carol").act("NOT_READY", [("axel", 5001)])
    settle()


def sign_out(rule: BreakRule, settle: Settle) -> None:
    ask("axel", Requested.LOGOUT)
    settle()


def no_queue_any_more(rule: BreakRule, settle: Settle) -> None:
    rule.when_full = WhenFull.REFUSE
    rule.save()


def cancel(rule: BreakRule, settle: Settle) -> None:
    one = WaitingChange.objects.get(login_id="axel")
    assert Page("axel").post(f"waiting/{one.pk}/cancel/", {}).status_code == 200


def cancel_by_supervisor(rule: BreakRule, settle: Settle) -> None:
    one = WaitingChange.objects.get(login_id="axel")
    assert Page("carol").post(f"waiting/{one.pk}/cancel/", {}).status_code == 200


@pytest.mark.parametrize(
    ("happens", "outcome"),
    [
        (change_otherwise, WaitingOutcome.OVERTAKEN),
        (set_by_supervisor, WaitingOutcome.OVERTAKEN),
        (sign_out, WaitingOutcome.VOID),
        (no_queue_any_more, WaitingOutcome.NO_QUEUE),
        (cancel, WaitingOutcome.CANCELLED),
        (cancel_by_supervisor, WaitingOutcome.CANCELLED),
    ],
)
def test_it_is_dropped_with_a_reason_that_is_told_and_the_next_one_moves_up(
    rule: BreakRule,
    lunch: ReasonCode,
    settle: Settle,
    happens: Callable[[BreakRule, Settle], None],
    outcome: WaitingOutcome,
) -> None:
    queue("axel", lunch)
    queue("alice", lunch)
    happens(rule, settle)
    assert ends()["axel"] == outcome
    told = Notification.objects.filter(node=WAITING_CHANGES.format(id="axel")).last()
    assert told
    assert f"<outcome>{outcome}</outcome>" in told.update
    if outcome != WaitingOutcome.NO_QUEUE:
        of_alice = Notification.objects.filter(node=WAITING_CHANGES.format(id="alice")).last()
        assert of_alice
        assert "<place>1</place>" in of_alice.update
    ask("anna", Requested.READY)
    settle()
    assert in_reason(lunch) == ([] if outcome == WaitingOutcome.NO_QUEUE else [("alice", 5001)])


def test_a_change_of_mode_and_a_corrected_reason_keep_the_turn(
    rule: BreakRule, lunch: ReasonCode, codes: dict[str, ReasonCode], settle: Settle
) -> None:
    asks("axel", codes["Coaching"])
    settle()
    queue("axel", lunch)
    ask("axel", Requested.NOT_ROUTABLE)
    Page("carol").act("CORRECT_REASON", [("axel", 5001)], reasonCode=codes["Coaching"].pk)
    settle()
    assert waiting() == ["axel"]


def test_who_asks_again_keeps_the_turn_and_another_wish_takes_its_place(
    rule: BreakRule, lunch: ReasonCode, settle: Settle
) -> None:
    queue("axel", lunch)
    queue("alice", lunch)
    assert queue("axel", lunch).status_code == 409
    assert waiting() == ["axel", "alice"]


def test_where_there_is_a_place_or_no_queue_nobody_waits(
    rule: BreakRule, lunch: ReasonCode, codes: dict[str, ReasonCode]
) -> None:
    assert queue("axel", codes["Coaching"]).status_code == 409
    rule.when_full = WhenFull.REFUSE
    rule.save()
    refused = queue("axel", lunch)
    assert (refused.status_code, refused.json()["error"]) == (
        409,
        "All places are taken, and nobody can wait for one",
    )
    assert not WaitingChange.objects.exists()


def test_what_cannot_be_applied_ends_and_holds_nobody_up(
    rule: BreakRule, lunch: ReasonCode, settle: Settle, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue("axel", lunch)
    queue("alice", lunch)
    take = batch.Batch._decide

    def decide(self: Any, request: Any, mrd_id: int) -> None:
        if request.login_id == "axel":
            raise RuntimeError("A fault of ours")
        take(self, request, mrd_id)

    monkeypatch.setattr(batch.Batch, "_decide", decide)
    ask("anna", Requested.READY)
    settle()
    assert ends() == {"axel": WaitingOutcome.VOID, "alice": WaitingOutcome.APPLIED}
    assert in_reason(lunch) == [("alice", 5001)]
    assert MediaRequest.objects.filter(login_id="anna").last().outcome == "changed"  # type: ignore[union-attr]


# --- supervisors --------------------------------------------------------------------------------


def test_a_supervisor_lets_agents_wait_or_goes_beyond_the_rule(
    rule: BreakRule, lunch: ReasonCode, settle: Settle
) -> None:
    carol = Page("carol")
    raise_rule(rule)
    rows = [("alice", 5001), ("axel", 5001)]
    offered = carol.post("choices/", {"rows": [{"agentId": "axel", "mrdId": None}]}).json()
    assert {one["id"]: one["hasQueue"] for one in offered["reasons"]["NOT_READY"]}[lunch.pk]
    answer = carol.act("NOT_READY", rows, reasonCode=lunch.pk, queue=True)
    assert [row["message"] for row in answer.json()["rows"]] == ["", "waits for a free place"]
    settle()
    assert in_reason(lunch) == [("alice", 5001), ("anna", 5001)]
    (seen,) = carol.client.get("/supervision/waiting/").json()["waiting"]
    assert (seen["userId"], seen["actor"]) == ("axel", "carol")
    assert (seen["place"], seen["placeOf"]) == (1, 1)
    # The same again keeps the turn.
    again = carol.act("NOT_READY", [("axel", 5001)], reasonCode=lunch.pk, queue=True)
    assert again.json()["rows"][0]["message"] == "Waits for it already"
    assert undone(carol.undo(answer))[1] == "As before"
    assert waiting() == []
    carol.act("NOT_READY", [("axel", 5001)], reasonCode=lunch.pk)
    settle()
    assert ("axel", 5001) in in_reason(lunch)


def test_only_not_ready_waits_for_a_place(rule: BreakRule) -> None:
    assert Page("carol").act("READY", [("axel", 5001)], queue=True).status_code == 400


# --- always -------------------------------------------------------------------------------------


def _agents(chat: Team, back_office: Team, count: int) -> list[str]:
    names = [f"agent{number}" for number in range(count)]
    for number, name in enumerate(names):
        team = chat if number % 3 else back_office
        user = User.objects.create_user(name, PASSWORD, first_name=name, team=team)
        for mrd in (5000, 5001):
            Media.objects.create(
                user=user,
                mrd_id=mrd,
                state="READY",
                max_dialog_limit=5,
                interrupt_action="ACCEPT",
                dialog_logout_action="CLOSE",
            )
    return names


def _look(reasons: Iterable[ReasonCode]) -> None:
    """Never more than may be; and nobody waits while a place is free, or for a rule without."""
    people = dict(User.objects.values_list("pk", "team"))
    for reason in reasons:
        for team in {*people.values()}:
            rule = (
                BreakRule.objects.filter(reason_code=reason, team=team).first()
                or BreakRule.objects.filter(reason_code=reason, team=None).first()
            )
            there = {who for who, _ in in_reason(reason) if people[who] == team}
            waits = WaitingChange.objects.filter(
                outcome=None, waits_for=WaitsFor.PLACE, reason_code=reason
            ).values_list("login_id", flat=True)
            waits = {who for who in waits if people[who] == team}
            if waits:
                assert rule is not None, waits
                assert rule.has_queue, waits
                assert len(there) >= (rule.most_at_once or 0), (there, waits)
                assert not waits & there


@pytest.mark.parametrize("seed", range(4))
def test_whatever_happens_nobody_waits_while_a_place_is_free_and_no_reason_is_too_full(
    chat: Team, codes: dict[str, ReasonCode], settle: Settle, seed: int
) -> None:
    draw = random.Random(seed)
    lunch, coaching = codes["Lunch"], codes["Coaching"]
    back_office = Team.objects.get(name="Back office")
    rules = [
        BreakRule.objects.create(team=chat, reason_code=lunch, most_at_once=2, when_full="queue"),
        BreakRule.objects.create(reason_code=lunch, most_at_once=1, when_full="queue"),
        BreakRule.objects.create(
            team=chat, reason_code=coaching, most_at_once=1, when_full="queue"
        ),
    ]
    names = _agents(chat, back_office, 9)
    most: dict[int, int] = {}
    for _ in range(60):
        for _ in range(draw.randrange(1, 5)):
            who, mrd = draw.choice(names), draw.choice((5000, 5001))
            reason = draw.choice((lunch, lunch, coaching))
            match draw.choice(MOVES):
                case "ask":
                    asks(who, reason, mrd=mrd)
                case "queue":
                    queue(who, reason, mrd)
                case "ready":
                    ask(who, Requested.READY, mrd)
                case "out":
                    ask(who, Requested.LOGOUT, mrd)
                case "in":
                    ask(who, Requested.LOGIN, mrd, options=OPTIONS)
                case "rule":
                    # Raised only: one that is lowered sends nobody away.
                    one = draw.choice(rules)
                    one.most_at_once = min(2, (one.most_at_once or 0) + draw.randrange(2))
                    one.save()
        settle()
        _look((lunch, coaching))
        for one in rules:
            people = (
                User.objects.filter(team=one.team)
                if one.team
                else User.objects.filter(team=back_office)
            )
            there = {who for who, _ in in_reason(one.reason_code)}
            count = len(there & {*people.values_list("pk", flat=True)})
            assert count <= (one.most_at_once or 0)
            most[one.pk] = max(most.get(one.pk, 0), count)
    # It has come about at all, and more than once.
    assert WaitingChange.objects.filter(outcome=WaitingOutcome.APPLIED).count() > 1
    assert all(most.values())


@pytest.mark.django_db(transaction=True)
def test_a_batch_that_is_killed_leaves_the_queue_as_it_was(
    rule: BreakRule, lunch: ReasonCode, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue("axel", lunch)
    ask("anna", Requested.READY)

    def die(*args: Any, **kwargs: Any) -> Any:
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(outcomes.log, "append", die)
        with pytest.raises(SystemExit):
            writer.apply_pending()
    assert (in_reason(lunch), waiting()) == ([("anna", 5001)], ["axel"])
    writer.apply_pending()
    assert (in_reason(lunch), waiting()) == ([("axel", 5001)], [])
    assert ends() == {"axel": WaitingOutcome.APPLIED}
