"""Many reason codes at once: the same rules and the same traces as one by one."""

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from finesse.users.models import Team, User
from reasoncodes.census import Census
from reasoncodes.changes import Way
from reasoncodes.configuration import exclusive
from reasoncodes.history import Version
from reasoncodes.many import Wanted, save_all
from reasoncodes.models import ReasonCode
from tests.conftest import Cast

pytestmark = pytest.mark.usefixtures("cast", "own_layer")
CODES = st.builds(
    ReasonCode,
    category=st.sampled_from(["NOT_READY", "LOGOUT"]),
    code=st.sampled_from([1, 2, 3, 4, 5, 999]),
    label=st.sampled_from(["Lunch", "lunch", "LÜNCH", "lünch", "Filing", "Tea"]),
    for_all=st.booleans(),
    retired=st.booleans(),
    translations=st.dictionaries(
        st.sampled_from(["de", "de-AT", "en-GB"]), st.sampled_from(["Tee", "tea", "Lunch", "Rast"])
    ),
)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(code=CODES)
def test_the_rules_in_memory_are_those_of_the_model(
    code: ReasonCode, codes: dict[str, ReasonCode], settings: Any
) -> None:
    settings.FINESSE_MAX_GLOBAL_REASON_CODES = 1
    settings.FINESSE_MAX_TEAM_REASON_CODES = 2
    ReasonCode.objects.filter(label="Filing").update(translations={"de": "Rast", "fr": "Tea"})
    census = Census(ReasonCode.objects.not_retired())
    assert [*census.rivals(code)] == code.taken()
    assert census.exceeds(code) == code.exceeds()
    try:
        code.full_clean()
        is_refused = False
    except ValidationError:
        is_refused = True
    assert bool(census.rivals(code) or census.exceeds(code)) == is_refused


def test_they_swap_numbers_and_labels_and_each_has_its_version(
    cast: Cast, codes: dict[str, ReasonCode]
) -> None:
    coaching, filing = codes["Coaching"], codes["Filing"]
    coaching.code, filing.code = filing.code, coaching.code
    coaching.label, filing.label = filing.label, coaching.label
    new = ReasonCode(category="NOT_READY", code=30, label="Tea", for_all=False)
    both = frozenset(Team.objects.values_list("pk", flat=True))
    wanted = [
        Wanted(code=coaching, teams=both),
        Wanted(code=filing, teams=frozenset()),
        Wanted(code=new, teams=both),
    ]
    with exclusive(User.objects.get(pk="dave"), Way.IMPORT) as change:
        save_all(wanted)
    for one in wanted:
        stored = ReasonCode.objects.get(pk=one.code.pk)
        assert (stored.code, stored.label, stored.retired) == (
            one.code.code,
            one.code.label,
            False,
        )
        assert set(stored.teams.values_list("pk", flat=True)) == one.teams
        (version,) = Version.objects.filter(change=change.id, id=stored.pk)
        assert (version.label, version.way, version.history_user_id) == (
            stored.label,
            "import",
            "dave",
        )
        assert {int(pk) for pk in version.team_names} == one.teams
    kinds = Version.objects.filter(change=change.id).order_by("id")
    assert [version.history_type for version in kinds] == ["~", "~", "+"]


def test_their_number_does_not_add_statements(cast: Cast) -> None:
    def statements(first: int, count: int) -> int:
        teams = frozenset(Team.objects.values_list("pk", flat=True))
        wanted = [
            Wanted(
                code=ReasonCode(category="LOGOUT", code=n, label=f"Code {n}", for_all=False),
                teams=teams,
            )
            for n in range(first, first + count)
        ]
        dave = User.objects.get(pk="dave")
        with CaptureQueriesContext(connection) as captured, exclusive(dave, Way.IMPORT):
            save_all(wanted)
        return len(captured)

    assert statements(100, 2) == statements(200, 40)
