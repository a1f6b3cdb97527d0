import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.deploy.series import ENGINES, INCIDENTS, series

DEPLOY = Path(__file__).parents[2] / "deploy"
RULES = DEPLOY / "prometheus" / "rules.yml"
GROUPS = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
ALERTS = [rule for group in GROUPS for rule in group["rules"] if "alert" in rule]
needs_promtool = pytest.mark.skipif(
    shutil.which("promtool") is None, reason="promtool is not installed (apt: prometheus)"
)


def firing_at(minute, alert, engines):
    """What promtool shall find: the alert for these engines and for no other."""
    (rule,) = [rule for rule in ALERTS if rule["alert"] == alert]
    labels = {"severity": rule["labels"]["severity"]}
    return {
        "eval_time": f"{minute}m",
        "alertname": alert,
        "exp_alerts": [
            {"exp_labels": {**labels, "job": "engine", "instance": f"{engine}:8000"}}
            for engine in engines
        ],
    }


def promtool(tmp_path, inputs, expected):
    """Let promtool judge; its text, or None when all is as expected."""
    rules = yaml.safe_load(RULES.read_text(encoding="utf-8"))
    for group in rules["groups"]:  # the texts hold figures, which are not the point here
        for rule in group["rules"]:
            rule.pop("annotations", None)
            if "alert" in rule and "reason" in rule["expr"].partition("and")[0]:
                rule["expr"] = f"sum by (job, instance) ({rule['expr']})"
    (tmp_path / "rules.yml").write_text(yaml.safe_dump(rules, sort_keys=False))
    test = {
        "rule_files": ["rules.yml"],
        "evaluation_interval": "1m",
        "tests": [
            {
                "interval": "1m",
                "input_series": [{"series": s, "values": v} for s, v in inputs],
                "alert_rule_test": expected,
            }
        ],
    }
    (tmp_path / "test.yml").write_text(yaml.safe_dump(test, sort_keys=False))
    run = subprocess.run(
        ["promtool", "test", "rules", "test.yml"], cwd=tmp_path, capture_output=True, text=True
    )
    return None if run.returncode == 0 else run.stdout + run.stderr


@needs_promtool
def test_promtool_finds_no_fault():
    run = subprocess.run(["promtool", "check", "rules", RULES], capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr


@needs_promtool
def test_two_hours_without_an_incident_fire_nothing(tmp_path):
    inputs = [line for engine in ENGINES for line in series(engine)]
    quiet = [firing_at(m, a["alert"], []) for a in ALERTS for m in range(10, 120, 10)]
    assert promtool(tmp_path, inputs, quiet) is None


@needs_promtool
@pytest.mark.parametrize("alert", INCIDENTS)
def test_an_alert_fires_in_its_incident_after_its_time_for_engines_that_publish_it(tmp_path, alert):
    change, engines = INCIDENTS[alert]
    inputs = [line for engine in ENGINES for line in series(engine, change)]
    (rule,) = [rule for rule in ALERTS if rule["alert"] == alert]
    minutes = int(rule["for"].removesuffix("m"))
    early = [firing_at(75 + minute, alert, []) for minute in range(minutes)]
    late = firing_at(75 + minutes + 7, alert, engines or ENGINES)
    assert promtool(tmp_path, inputs, [*early, late]) is None


@needs_promtool
def test_an_empty_rule_would_be_noticed(tmp_path):
    inputs = [line for engine in ENGINES for line in series(engine)]
    assert "FAILED" in promtool(tmp_path, inputs, [firing_at(60, "BlockLeak", ["vllm"])])


def test_every_alert_waits_and_says_what_to_do():
    assert {rule["alert"] for rule in ALERTS} == set(INCIDENTS)
    for rule in ALERTS:
        assert re.fullmatch(r"[1-9]\d*m", rule["for"]), rule["alert"]
        assert rule["annotations"]["summary"].endswith(".")
        assert rule["annotations"]["what_to_do"].endswith(".")


def test_the_dashboard_reads_what_rules_and_engines_give():
    board = json.loads((DEPLOY / "grafana" / "dashboards" / "cache.json").read_text("utf-8"))
    queries = [t["expr"] for panel in board["panels"] for t in panel.get("targets", ())]
    recorded = {rule["record"] for group in GROUPS for rule in group["rules"] if "record" in rule}
    read = {name for query in queries for name in re.findall(r"engine:[\w:]+", query)}
    assert len(queries) > 15 and read <= recorded
