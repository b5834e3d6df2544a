"""Variables of the environment as people write them: read as they are meant, or refused in a
sentence."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.kit.installation import ROOT

SHOWN = (
    "ALLOWED_HOSTS",
    "CSRF_TRUSTED_ORIGINS",
    "CORS_ALLOWED_ORIGINS",
    "FINESSE_TRUSTED_PROXIES",
    "LOG_LEVEL",
)
READ = f"""
import json
from django.conf import settings
shown = {{name: getattr(settings, name) for name in {SHOWN!r}}}
print(json.dumps(shown | {{"database": str(settings.DATABASES["default"]["NAME"])}}))
"""


def manage(folder: Path, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """`manage.py` as after `make run`, with these variables alone."""
    given = {"PATH": os.environ["PATH"], "FINESSE_DEMO": "1", "FINESSE_DATA_DIR": str(folder)}
    return subprocess.run(
        [sys.executable, "manage.py", *command],
        cwd=ROOT,
        env={**given, **environment},
        capture_output=True,
        text=True,
        timeout=120,
    )


def read(folder: Path, **environment: str) -> dict[str, object]:
    shown = manage(folder, "shell", "--no-imports", "-c", READ, **environment)
    found: dict[str, object] = json.loads(shown.stdout)
    return found


def test_blanks_and_a_comma_at_the_end_mean_nothing(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        ALLOWED_HOSTS="a.example, b.example",
        CSRF_TRUSTED_ORIGINS="https://a.example , https://b.example",
        CORS_ALLOWED_ORIGINS=" https://g.example",
        FINESSE_TRUSTED_PROXIES="10.0.0.5, 10.1.0.0/16,",
        LOG_LEVEL="debug",
    )
    del found["database"]
    assert found == {
        "ALLOWED_HOSTS": ["a.example", "b.example"],
        "CSRF_TRUSTED_ORIGINS": ["https://a.example", "https://b.example"],
        "CORS_ALLOWED_ORIGINS": ["https://g.example"],
        "FINESSE_TRUSTED_PROXIES": ["10.0.0.5", "10.1.0.0/16"],
        "LOG_LEVEL": "DEBUG",
    }


@pytest.mark.parametrize(
    ("name", "value"), [("FINESSE_TRUSTED_PROXIES", "10.0.0.5,nginx"), ("LOG_LEVEL", "loud")]
)
def test_what_cannot_be_meant_is_refused_at_the_start(
    tmp_path: Path, name: str, value: str
) -> None:
    refused = manage(tmp_path, "check", **{name: value})
    assert refused.returncode != 0
    (line,) = refused.stderr.strip().splitlines()
    assert line.startswith(name)


@pytest.mark.parametrize("name", ["c++", "issue #5", "50%20", "what?"])
def test_the_data_may_be_in_a_folder_of_any_name(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    assert read(folder)["database"] == str(folder / "demo.sqlite3")
    made = manage(folder, "migrate", "--verbosity", "0")
    assert made.returncode == 0, made.stderr
    assert (folder / "demo.sqlite3").exists()
    assert sorted(tmp_path.iterdir()) == [folder]
