"""The house rules: imports and relations point down, documents match the code."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.apps import apps

from finesse.api import errors

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
