"""The house rules: imports and relations point down, documents match the code."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.apps import apps

from finesse.api import errors
from media.models import Desktop, Media

ROOT = Path(__file__).resolve().parents[2]
LAYERS = ["service", "users", "notifications", "reasoncodes", "media"]
"""Our apps with models, from the platform upwards."""


def test_imports_point_down() -> None:
    lint = Path(sys.executable).parent / "lint-imports"
    done = subprocess.run([lint, "--no-cache"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    assert "0 broken" in done.stdout


@pytest.mark.parametrize("label", LAYERS)
def test_relations_between_models_point_down(label: str) -> None:
    """Foreign keys by name are no imports, but they bind all the same."""
    allowed = {*LAYERS[: LAYERS.index(label) + 1], "auth", "contenttypes"}
    for model in apps.get_app_config(label).get_models(include_auto_created=True):
        for field in model._meta.get_fields():
            if field.is_relation and not field.auto_created and field.related_model:
                assert field.related_model._meta.app_label in allowed, field


def test_every_app_with_models_has_its_layer() -> None:
    ours = {
        config.label
        for config in apps.get_app_configs()
        if Path(config.path).is_relative_to(ROOT)
        and not Path(config.path).is_relative_to(Path(sys.prefix))
        and any(config.get_models())
    }
    assert ours == set(LAYERS)


# --- one emitter, one writer --------------------------------------------------------------------

MAKING = {"create", "bulk_create", "get_or_create", "update_or_create", "BulkInsert", "Insertion"}
CHANGING = MAKING | {"update", "bulk_update", "BulkUpdate", "Media", "Desktop"}
STATE_FIELDS = {field.name for field in Media._meta.fields if not field.editable} | {
    field.name for field in Desktop._meta.fields if not field.primary_key
}


def product() -> Iterator[tuple[str, ast.Module]]:
    """Each module of the product by its path, without migrations."""
    for package in ("finesse", "media", "reasoncodes"):
        for path in sorted((ROOT / package).rglob("*.py")):
            if "migrations" not in path.parts:
                yield str(path.relative_to(ROOT)), ast.parse(path.read_text())


def called(call: ast.Call) -> str:
    """The last name of what is called."""
    if isinstance(call.func, ast.Attribute):
        return call.func.attr
    return call.func.id if isinstance(call.func, ast.Name) else ""


def names_in(tree: ast.AST) -> set[str]:
    """All names in it: variables, attributes, keywords, and the texts that are one word."""
    found: set[str] = set()
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.keyword(arg=str(name)):
                found.add(name)
            case ast.Constant(value=str(name)):
                found.add(name)
    return found


def makes_a_notification(module: ast.Module) -> bool:
    """Whether it writes rows of the log's class; the description has one of the same name."""
    imported = {
        alias.asname or alias.name
        for node in ast.walk(module)
        if isinstance(node, ast.ImportFrom) and node.module == "finesse.notifications.models"
        for alias in node.names
        if alias.name == "Notification"
    }
    return any(
        called(node) in {*MAKING, "save"} and names_in(node) & imported
        for node in ast.walk(module)
        if isinstance(node, ast.Call)
    )


def changes_a_state(module: ast.Module) -> bool:
    for node in ast.walk(module):
        if isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for target in targets:
                if isinstance(target, ast.Attribute) and target.attr in STATE_FIELDS:
                    return True
        elif isinstance(node, ast.Call) and called(node) in CHANGING:
            given = set().union(*(names_in(one) for one in (*node.args, *node.keywords)))
            if given & STATE_FIELDS:
                return True
    return False


def test_only_the_log_makes_notifications() -> None:
    makers = {path for path, module in product() if makes_a_notification(module)}
    assert makers == {"finesse/notifications/log.py"}


def test_only_the_writing_room_changes_a_state() -> None:
    changers = {path for path, module in product() if changes_a_state(module)}
    assert changers == {"media/writing/batch.py", "media/writing/mapping.py"}


@pytest.mark.parametrize(
    "code",
    [
        "media.state = State.READY",
        "user.desktop.extension = ''",
        "Media.objects.filter(user=login_id).update(state=State.READY)",
        "Media.objects.create(user=user, mrd=mrd, routable=True)",
        "Desktop(user=user, state=state)",
        "Media.objects.get_or_create(user=user, defaults={'state': state})",
        "Media.objects.bulk_update(found, ['state'])",
        "UPDATE = BulkUpdate(Media, ('reason_code',))",
    ],
)
def test_the_rule_knows_each_way_to_change_a_state(code: str) -> None:
    assert changes_a_state(ast.parse(code))


@pytest.mark.parametrize(
    "code",
    [
        "Notification(position=1).save()",
        "Notification.objects.bulk_create(found)",
        "_WRITE = BulkInsert(Notification)",
    ],
)
def test_the_rule_knows_each_way_to_make_a_notification(code: str) -> None:
    imported = "from finesse.notifications.models import Notification\n"
    assert makes_a_notification(ast.parse(imported + code))
    assert not makes_a_notification(ast.parse(code))


# --- documents ----------------------------------------------------------------------------------


def test_each_error_stands_in_the_table_once() -> None:
    rows = list(errors.TABLE.values())
    assert len(rows) == len(set(rows))
    arm = [row for row in rows if row.message.startswith("E_ARM_STAT_")]
    # The page of the mode's error prints the sign-in's number; its own is not known.
    numbers = [row.data for row in arm if row is not errors.ALREADY_IN_REQUESTED_AGENT_MODE]
    assert len(set(numbers)) == len(numbers)


def test_the_readme_names_only_files_that_are_there() -> None:
    readme = (ROOT / "README.md").read_text()
    named = set(
        re.findall(
            r"`((?:finesse|media|reasoncodes|templates|tests|docs|deploy|benchmarks)/[^`*<… ]*)`",
            readme,
        )
    )
    assert named
    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []


def test_every_setting_from_the_environment_is_in_the_readmes_table() -> None:
    settings = (ROOT / "finesse" / "settings.py").read_text()
    variables = set(re.findall(r'env\.\w+\(\s*"([A-Z_]+)"', settings))
    readme = (ROOT / "README.md").read_text()
    table = set(re.findall(r"^\| `([A-Z_]+)`", readme, re.MULTILINE))
    assert table == variables


def test_requirements_are_hashed_and_name_no_host() -> None:
    for name in ("requirements.txt", "requirements-dev.txt"):
        text = (ROOT / name).read_text()
        assert "--hash=sha256:" in text
        assert "://" not in text
        assert "--index-url" not in text
        assert "--find-links" not in text
