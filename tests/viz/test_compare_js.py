"""Two logs compared in node: the same divergence as Python's, over random pairs of logs."""

import json
import shutil
import subprocess
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from radixlab.observe.deeds import deed_words
from radixlab.observe.divergence import Run, first_divergence, verdict
from radixlab.observe.wire import event_to_json, state_to_json
from tests.observe.pairs import pairs

NODE = shutil.which("node")
TEST = Path(__file__).parent / "js" / "ghost_pairs.mjs"


def as_json(run: Run) -> dict[str, Any]:
    events = [event_to_json(event) for event in run.events]
    return {"name": run.name, "start": state_to_json(run.start), "events": events}


@pytest.mark.skipif(NODE is None, reason="node is not installed")
@pytest.mark.parametrize("seeds", [range(3), pytest.param(range(3, 40), marks=pytest.mark.soak)])
def test_the_browser_finds_what_python_finds(
    seeds: range, events: list[Any], tmp_path: Path
) -> None:
    found = [
        {
            "kind": kind,
            "a": as_json(a),
            "b": as_json(b),
            "found": (one := first_divergence(a, b)) and asdict(one),
            "verdict": verdict(a, b),
        }
        for kind, a, b in pairs(seeds)
    ]
    said = [{"event": event_to_json(event), "said": deed_words(event)} for event in events]
    path = tmp_path / "pairs.json"
    path.write_text(json.dumps({"pairs": found, "words": said}), "utf-8")
    command = [NODE or "node", "--test", str(TEST)]
    done = subprocess.run(command, env={"PAIRS": str(path)}, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
