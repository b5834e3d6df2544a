"""The conformance kit as others use it: a program that knows a server by its address alone."""

import ast
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from xml.etree.ElementTree import Element

import pytest
from defusedxml.ElementTree import parse

from tests.kit.installation import ROOT, Installation

KIT = ROOT / "tests" / "conformance"
ORIGIN = "https://desk.example"
BLOCKED = {"LOCKOUT_USER": "1399", "LOCKOUT_PASSWORD": "finesse"}
"""A user for the lock-out, needed by no other check."""

NOT_OBSERVED = "notifications are not observed (--notifications=none)"
NOT_BLOCKED = (
    "LOCKOUT_USER is not configured (login id of a user whom the lock-out may block for five "
    "minutes)"
)


class Run(NamedTuple):
    code: int
    output: str
    cases: list[Element]

    @property
    def skipped(self) -> set[str]:
        """Why checks were skipped."""
        return {
            str(skipped.get("message")) for case in self.cases for skipped in case.iter("skipped")
        }

    @property
    def checks(self) -> set[tuple[str, str]]:
        """Module and function of each."""
        return {
            (str(case.get("classname")), str(case.get("name")).partition("[")[0])
            for case in self.cases
        }


def conformance(url: str, folder: Path, *options: str, **settings: str) -> Run:
    ours = ("COVERAGE_", "CONFORMANCE_", "DJANGO_", "FINESSE_", "PYTEST_")
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(ours)
    } | {f"CONFORMANCE_{name}": value for name, value in settings.items()}
    report = folder / "conformance.xml"
    command = [sys.executable, "-m", "pytest", "-c", str(KIT / "pytest.ini"), "--rootdir", str(KIT)]
    done = subprocess.run(
        [*command, str(KIT), "--url", url, *options],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=800,
    )
    cases = list(parse(report).iter("testcase")) if report.exists() else []
    return Run(done.returncode, done.stdout + done.stderr, cases)


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    made = Installation(tmp_path_factory.mktemp("conformance"))
    made.environment |= {"FINESSE_REQUEST_ID_ON_SUCCESS": "0", "CORS_ALLOWED_ORIGINS": ORIGIN}
    made.start()
    made.manage(
        "shell",
        "--no-imports",
        "-c",
        "from finesse.users.models import User\n"
        f"User.objects.create_user({BLOCKED['LOCKOUT_USER']!r}, {BLOCKED['LOCKOUT_PASSWORD']!r})",
    )
    yield made
    made.end()


def configured(installation: Installation) -> object:
    """The rows that the kit must restore: states, codes and the teams that may choose them."""
    return installation.query(
        "import json\n"
        "from media.models import Desktop, Media\n"
        "from reasoncodes.models import ReasonCode\n"
        "states = ['user_id', 'mrd_id', 'state', 'routable', 'reason_code_id',\n"
        "          'max_dialog_limit', 'interrupt_action', 'dialog_logout_action']\n"
        "print(json.dumps([\n"
        "    list(Media.objects.order_by('pk').values_list(*states)),\n"
        "    list(Desktop.objects.exclude(state='LOGOUT').values_list('user_id', 'state')),\n"
        "    list(ReasonCode.objects.filter(retired=False).order_by('pk').values_list(\n"
        "        'pk', 'category', 'code', 'label', 'for_all', 'teams')),\n"
        "]))"
    )


def checks_of_the_kit() -> set[tuple[str, str]]:
    return {
        (path.stem, name)
        for path in KIT.glob("test_*.py")
        for name in re.findall(r"^def (test_\w+)", path.read_text(), re.MULTILINE)
    }


def test_the_demo_conforms_in_everything_and_is_left_as_it_was(
    installation: Installation, tmp_path: Path
) -> None:
    before = configured(installation)
    run = conformance(installation.url, tmp_path, "--origin", ORIGIN, **BLOCKED)
    assert run.code == 0, run.output
    assert run.skipped == set()
    assert run.checks == checks_of_the_kit()
    for case in run.cases:
        properties = [each.get("name") for each in case.iter("property")]
        assert properties[:3] == ["section", "statement", "kind"]
        assert set(properties[3:]) == {"source"}
    assert configured(installation) == before


def test_a_second_run_conforms_too_and_without_notifications_says_what_it_left_out(
    installation: Installation, tmp_path: Path
) -> None:
    # What needs no notifications has just been run: these are those that look by other means.
    polling = ["--notifications=none", "-k", "test_media or test_authentication"]
    run = conformance(installation.url, tmp_path, *polling)
    assert run.code == 0, run.output
    assert run.skipped == {NOT_OBSERVED, NOT_BLOCKED}
    assert len(run.checks) > 60
    for reason in run.skipped:
        assert reason in " ".join(run.output.split())


def test_a_check_without_its_configuration_is_skipped_and_reported(
    installation: Installation, tmp_path: Path
) -> None:
    run = conformance(
        installation.url, tmp_path, "-k", "test_unknown_team or test_preflight", ADMIN=""
    )
    assert run.code == 0, run.output
    assert len(run.skipped) == 2
    assert "1 since ADMIN is not configured (login id of an administrator)" in run.output
    assert "1 since ORIGIN is not configured" in run.output
    assert "Checks:     0 passed, 0 failed, 2 skipped, of 2" in run.output


def test_a_failure_shows_the_exchange_and_ends_the_run_with_an_error(
    installation: Installation, tmp_path: Path
) -> None:
    run = conformance(installation.url, tmp_path, "-k", "test_user and test_values", TEAM="2")
    assert run.code == 1
    for shown in (
        "expected: <teamId>2</teamId> in <User>",
        "came:     <teamId>1</teamId>",
        f"  | GET {installation.url}/finesse/api/User/1234",
        "  |   <loginId>1234</loginId>",
        "FAIL  documented  Its uri, loginId, team, roles, dialogs and mediaType 1 tell",
        "[User]",
        "Checks:     0 passed, 1 failed, 0 skipped, of 1",
    ):
        assert shown in run.output
    (failure,) = run.cases[0].iter("failure")
    assert "expected: <teamId>2</teamId>" in str(failure.text)


def test_choices_can_be_left_out(installation: Installation, tmp_path: Path) -> None:
    run = conformance(installation.url, tmp_path, "--documented-only", "-k", "test_system_info")
    assert run.code == 0, run.output
    kinds = {each.get("value") for case in run.cases for each in case.iter("property")}
    assert "documented" in kinds
    assert "choice" not in kinds
    assert re.search(r"Left out:   \d+ choices, by --documented-only", run.output)


def test_a_wrong_password_is_tried_once(installation: Installation, tmp_path: Path) -> None:
    run = conformance(installation.url, tmp_path, OTHER_PASSWORD="wrong")
    assert run.code == 2
    assert "the server refuses OTHER 1235 with the given password" in run.output
    # No user is locked out.
    run = conformance(installation.url, tmp_path, "-k", "test_system_info")
    assert run.code == 0, run.output


def test_without_a_server_nothing_is_checked(tmp_path: Path) -> None:
    run = conformance("http://127.0.0.1:9", tmp_path)
    assert run.code == 2
    assert "no server answers at http://127.0.0.1:9" in run.output


def test_make_passes_on_what_its_command_line_names_and_not_the_shells_user(
    installation: Installation, tmp_path: Path
) -> None:
    report = tmp_path / "named.xml"
    # The environment of the tests is complete, even if make takes it for old.
    command = ["make", "--old-file", ".venv/installed-dev", f"BIN={Path(sys.executable).parent}"]
    done = subprocess.run(
        [
            *command,
            "conformance",
            f"URL={installation.url}",
            f"JUNIT={report}",
            "ADMIN=",
            "ARGS=-k 'test_user and (test_unknown or test_values)'",
        ],
        cwd=ROOT,
        env={**os.environ, "USER": "somebody", "PASSWORD": "else"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 since ADMIN is not configured" in done.stdout
    assert len(list(parse(report).iter("testcase"))) == 2


def test_the_kit_knows_nothing_of_any_server() -> None:
    allowed = {"pytest", "httpx", "websockets", "kit", *sys.stdlib_module_names}
    for path in KIT.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or "."]
            assert [name for name in names if name.partition(".")[0] not in allowed] == [], path


def test_the_kit_runs_wherever_it_is_copied(installation: Installation, tmp_path: Path) -> None:
    copy = tmp_path / "elsewhere"
    shutil.copytree(KIT, copy, ignore=shutil.ignore_patterns("__pycache__"))
    pytest_there = [sys.executable, "-m", "pytest", "-c", "elsewhere/pytest.ini"]
    done = subprocess.run(
        [*pytest_there, "elsewhere", "--url", installation.url, "-k", "test_system_info"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_projects_readme_has_the_number_of_checks() -> None:
    source = "\n".join(path.read_text() for path in KIT.glob("test_*.py"))
    documented = len(re.findall(r"^@statement\(", source, re.MULTILINE))
    choices = len(re.findall(r"^@choice\(", source, re.MULTILINE))
    readme = " ".join((ROOT / "README.md").read_text().split())
    assert len(checks_of_the_kit()) == documented + choices
    sentence = f"{documented + choices} checks, one a statement, each with the page of the protocol"
    assert sentence in readme
    assert f"{documented} are documented, {choices} are this project's choices" in readme


def test_the_readme_lists_every_setting_with_its_default() -> None:
    text = (KIT / "README.md").read_text()
    source = (KIT / "kit" / "configuration.py").read_text()
    settings = re.findall(r'Setting\("(\w+)", "([^"]*)"', source)
    assert len(settings) > 20
    rows = re.findall(r"^\| (`[A-Z_`, ]+)\|([^|]*)\|", text, re.MULTILINE)
    listed = {}
    for names, defaults in rows:
        several = [each.strip(" `") for each in defaults.split(",")]
        names = re.findall(r"[A-Z_]+", names)
        several += [""] * (len(names) - len(several))
        listed |= dict(zip(names, several, strict=True))
    assert listed == {name.upper(): default for name, default in settings}
