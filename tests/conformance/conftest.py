"""The kit's options, its report, and the people whom the checks act as."""

from collections.abc import Generator, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from kit.agent import Agent
from kit.client import Caller, calling
from kit.configuration import Configuration, add_options
from kit.evidence import UnmetError
from kit.report import Report, told_plainly
from kit.roles import Roles

# --- Options and report ---------------------------------------------------------------------------

REPORT = pytest.StashKey[Report]()
FAILED = pytest.StashKey[bool]()


def pytest_addoption(parser: pytest.Parser) -> None:
    add_options(parser.getgroup("conformance", "the server, its people and its configuration"))


def pytest_configure(config: pytest.Config) -> None:
    config.stash[REPORT] = Report()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    report = config.stash[REPORT]
    report.take(items)
    if config.getoption("documented_only"):
        choices = [item for item in items if ("kind", "choice") in item.user_properties]
        report.left_out = len({item.nodeid.partition("[")[0] for item in choices})
        config.hook.pytest_deselected(items=choices)
        items[:] = [item for item in items if item not in choices]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if call.excinfo is not None and report.failed:
        item.stash[FAILED] = True
        report.longrepr = told_plainly(item, call.excinfo.value) or report.longrepr
    item.config.stash[REPORT].told(report)
    return report


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    report = config.stash[REPORT]
    if not report.has_run:
        return
    terminalreporter.section("conformance", sep="=")
    for line in report.lines(terminalreporter._tw.fullwidth):
        terminalreporter.write_line(line)


# --- Who calls ------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def configuration(pytestconfig: pytest.Config) -> Configuration:
    return Configuration(pytestconfig)


@pytest.fixture(scope="session", autouse=True)
def roles(configuration: Configuration) -> Iterator[Roles]:
    """Everybody who is configured, once their passwords have been seen to be right.

    Without that, a wrong password would be tried by every check, and lock its user out.
    """
    with ExitStack() as opened:
        made = Roles(configuration, opened)
        problem = made.problem()
        if problem:
            pytest.exit(f"Nothing was checked: {problem}", returncode=2)
        yield made


@pytest.fixture(scope="session", autouse=True)
def left_as_found(roles: Roles, configuration: Configuration) -> Iterator[None]:
    """The agent's Media and desktop are put back at the end."""
    agent = Agent(roles["user"], configuration, events=False)
    try:
        before = agent.remember(agent_mrds(configuration))
    except UnmetError as error:
        pytest.exit(f"Nothing was checked: the agent's Media cannot be read.\n{error}", 2)
    yield
    agent.restore(before)


def agent_mrds(configuration: Configuration) -> list[str]:
    return [mrd for mrd in map(configuration.get, ("mrd", "second_mrd")) if mrd]


@pytest.fixture
def agent(
    request: pytest.FixtureRequest, roles: Roles, configuration: Configuration
) -> Iterator[Agent]:
    """The agent whom the checks change."""
    made = Agent(roles["user"], configuration, events=configuration.events)
    yield made
    if request.node.stash.get(FAILED, False) and configuration.events:
        made.calms_down(agent_mrds(configuration))
    made.close()


@pytest.fixture
def events(configuration: Configuration) -> None:
    """For what only a notification shows."""
    if not configuration.events:
        pytest.skip("notifications are not observed (--notifications=none)")


@pytest.fixture(scope="session")
def nobody(configuration: Configuration) -> Iterator[Caller]:
    """Without credentials."""
    options = {"insecure": configuration.insecure, "waiting": configuration.waiting}
    with calling(configuration.url, None, **options) as caller:
        yield caller


@pytest.fixture
def other(roles: Roles) -> Caller:
    """Another agent of the team."""
    return roles["other"]


@pytest.fixture
def foreign(roles: Roles) -> Caller:
    """An agent of another team."""
    return roles["foreign"]


@pytest.fixture
def supervisor(roles: Roles) -> Caller:
    return roles["supervisor"]


@pytest.fixture
def admin(roles: Roles) -> Caller:
    return roles["admin"]
