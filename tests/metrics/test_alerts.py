"""The alert rules fire and the dashboard shows something: their metrics exist, promtool agrees."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import Counter, Gauge, Histogram

from finesse.metrics import counters
from media.metrics import ServiceCollector
from tests.kit.installation import ROOT

RULES = ROOT / "deploy" / "prometheus" / "alerts.yml"
DASHBOARD = ROOT / "deploy" / "grafana" / "finesse-media.json"
TESTS = Path(__file__).parent / "alerts_test.yml"
BY_PROMETHEUS = {"up"}


def rules() -> list[dict[str, Any]]:
    return [
        rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]
    ]


def panels() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(DASHBOARD.read_text())["panels"]
    return found


def exposed() -> Iterator[tuple[str, set[str]]]:
    """The names in /metrics, with their labels."""
    for metric in vars(counters).values():
        labels = {*getattr(metric, "_labelnames", ())}
        match metric:
            case Counter():
                yield f"{metric._name}_total", labels
            case Gauge():
                yield metric._name, labels
            case Histogram():
                yield f"{metric._name}_bucket", labels | {"le"}
                yield f"{metric._name}_count", labels
    for family in ServiceCollector().collect():
        suffix = "_total" if family.type == "counter" else ""
        yield f"{family.name}{suffix}", {*getattr(family, "_labelnames", ())}
    yield "finesse_processes", {"role"}


@pytest.mark.parametrize("where", ["alerts", "dashboard"])
def test_every_metric_that_is_asked_for_exists(cast: Any, in_service: None, where: str) -> None:
    known = dict(exposed())
    if where == "alerts":
        expressions = [rule["expr"] for rule in rules()]
    else:
        expressions = [target["expr"] for panel in panels() for target in panel["targets"]]
    assert len(expressions) >= 12
    for expression in expressions:
        asked = re.findall(r"\b(finesse_\w+)(?:\{([^}]*)\})?", expression)
        assert asked or expression.startswith("up{"), expression
        for name, selector in asked:
            assert name in known, name
            labels = set(re.findall(r"(\w+)\s*=", selector)) - {"job", "instance"}
            assert labels <= known[name], expression


def test_every_metric_is_shown(cast: Any, in_service: None) -> None:
    shown = " ".join(target["expr"] for panel in panels() for target in panel["targets"])
    for name, _ in exposed():
        if not name.endswith("_count"):
            assert re.search(rf"\b{name}\b", shown), name


def test_no_panel_covers_another() -> None:
    places = [panel["gridPos"] for panel in panels()]
    assert len({panel["id"] for panel in panels()}) == len(places)
    for one, other in combinations(places, 2):
        apart = (
            one["x"] + one["w"] <= other["x"]
            or other["x"] + other["w"] <= one["x"]
            or one["y"] + one["h"] <= other["y"]
            or other["y"] + other["h"] <= one["y"]
        )
        assert apart, (one, other)
    assert max(place["x"] + place["w"] for place in places) == 24


def test_every_alert_is_tested_to_fire_and_to_be_silent() -> None:
    well, wrong = yaml.safe_load(TESTS.read_text())["tests"]
    names = {rule["alert"] for rule in rules()}
    assert {one["alertname"] for one in well["alert_rule_test"]} == names
    fired = " ".join(one["labels"] for one in wrong["promql_expr_test"][0]["exp_samples"])
    assert set(re.findall(r'alertname="(\w+)"', fired)) == names
    for rule in rules():
        assert {"summary", "action"} <= rule["annotations"].keys()


@pytest.mark.skipif(shutil.which("promtool") is None, reason="there is no promtool")
def test_promtool_sees_each_alert_fire(tmp_path: Path) -> None:
    made = tmp_path / "alerts_test.yml"
    made.write_text(TESTS.read_text().replace("RULES", str(RULES)))
    for command in (["check", "rules", str(RULES)], ["test", "rules", str(made)]):
        done = subprocess.run(["promtool", *command], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
