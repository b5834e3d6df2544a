"""Who hears that a time is over: viewers of the agent, and no client of XMPP."""

from dataclasses import replace

import pytest

from finesse.notifications.nodes import LIMITS
from finesse.notifications.readers import readers_of
from tests.conftest import Cast

NODE = LIMITS.format(id="alice")


@pytest.mark.parametrize(
    ("login", "sees"), [("alice", True), ("carol", True), ("dave", True), ("bob", False)]
)
def test_viewers_who_see_the_agent_hear_of_the_agents_limits(
    cast: Cast, login: str, sees: bool
) -> None:
    assert readers_of([login])[login].may_see(NODE) == sees


@pytest.mark.parametrize("login", ["alice", "carol", "dave"])
def test_clients_of_xmpp_can_neither_see_nor_subscribe(cast: Cast, login: str) -> None:
    client = replace(
        readers_of([login])[login], resource="desktop", subscriptions=frozenset([NODE])
    )
    assert not client.may_see(NODE)
    assert not client.may_subscribe(NODE)
    assert NODE not in client.automatic
