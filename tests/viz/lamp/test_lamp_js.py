"""The lamp in the browser says what Python's says, after every event of every log."""

import json
from pathlib import Path
from typing import Any

import pytest

from radixlab.cache.rules import rule
from radixlab.observe.lamp import Lamp
from radixlab.observe.wire import event_to_json, state_to_json
from tests.viz.lamp.logs import SOME_TREES, TREES, Log, all_logs
from tests.viz.test_js import NODE, node

pytestmark = pytest.mark.skipif(NODE is None, reason="node is not installed")
RULES = (
    *("C2", "C4", "C6", "C7", "E1", "E2", "E6", "H2", "H6", "K1", "K2", "L1", "L2", "L4"),
    *("L8", "L9", "L10", "L11", "M1", "M4", "M5", "M7", "M8", "M9", "M10", "M12", "T5"),
)


def golden(name: str, log: Log) -> dict[str, Any]:
    """Write down the verdict after every event."""
    start, events = log
    lamp = Lamp(start)
    verdicts = [_verdict(lamp)]
    for event in events:
        lamp.follow(event)
        verdicts.append(_verdict(lamp))
    plain = [event_to_json(event) for event in events]
    return {"name": name, "keyframe": state_to_json(start), "events": plain, "verdicts": verdicts}


def _verdict(lamp: Lamp) -> dict[str, Any] | None:
    fault = lamp.verdict()
    return fault and {"position": fault.position, "rule": fault.rule, "what": fault.what}


def compare(tmp_path: Path, num_lives: int, num_damaged: int, trees: dict[str, str]) -> None:
    logs = [golden(*item) for item in all_logs(num_lives, num_damaged, trees).items()]
    broken = {log["verdicts"][-1]["rule"] for log in logs if log["verdicts"][-1]}
    assert len(broken) >= 10, broken
    path = tmp_path / "lamp.json"
    sentences = {id: rule(id).sentence for id in RULES}
    path.write_text(json.dumps({"logs": logs, "sentences": sentences}), "utf-8")
    node("--test", str(Path(__file__).with_name("lamp.test.mjs")), LAMP=str(path))


def test_the_browsers_lamp_equals_pythons(tmp_path: Path) -> None:
    compare(tmp_path, num_lives=4, num_damaged=60, trees=SOME_TREES)


@pytest.mark.soak
def test_the_browsers_lamp_equals_pythons_on_many_logs(tmp_path: Path) -> None:
    compare(tmp_path, num_lives=60, num_damaged=3000, trees=TREES.right | TREES.wrong)
