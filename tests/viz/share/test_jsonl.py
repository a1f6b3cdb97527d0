"""A recording in the browser: read as Python reads it, or refused in one line."""

import json
import random
import warnings
from pathlib import Path
from typing import Any

import pytest

from radixlab.observe import Recorder, RecordingError, fold_all, read_recording, state_to_json
from tests.observe.lives import live, small_cache
from tests.viz.test_js import NODE, node

pytestmark = pytest.mark.skipif(NODE is None, reason="node is not installed")

FOREIGN = {
    "empty": "",
    "blank lines": "\n\n",
    "text": "hello\n",
    "a number": "3\n",
    "a list": "[1, 2]\n",
    "null": "null\n",
    "another JSON": '{"a": 1}\n',
    "a trace": '{"timestamp": 0, "input_length": 3, "output_length": 1, "hash_ids": [0]}\n',
    "a page": "<!doctype html><html><script>alert(1)</script></html>\n",
    "bytes": "PK\x03\x04\x00\ufffd\ufffd\n",
    "a notebook": '{"cells": [], "nbformat": 4}',
    "no state": '{"type":"Recording","version":4}\n',
    "a state of text": '{"type":"Recording","version":2,"state":"x"}\n',
    "nodes of null": '{"type":"Recording","version":2,"state":{"nodes":[null],"sequences":[]}}\n',
    "a huge pool": '{"type":"Recording","version":2,"state":{"nodes":[],"sequences":[],'
    '"num_blocks":1e12,"block_size":4}}\n',
    "no pool": '{"type":"Recording","version":2,"state":{"nodes":[],"sequences":[]}}\n',
    "a bomb of ids": '{"type":"Recording","version":2,"state":{"num_blocks":4,"block_size":4,'
    '"sequences":[],"nodes":[{"id":1,"block_ids":"SYCAgIAPAICAgIAP"}]}}\n',
    "ids that are not base64": '{"type":"Recording","version":2,"state":{"num_blocks":4,'
    '"block_size":4,"sequences":[],"nodes":[{"id":1,"block_ids":"?"}]}}\n',
    "a newer version": '{"type":"Recording","version":99,"state":{}}\n',
    "a version of text": '{"type":"Recording","version":"</script><b>x</b>","state":{}}\n',
    "deep nesting": "[" * 100_000,
}


def recorded(path: Path, seed: int) -> str:
    """A recording that begins in mid-run, so that its header has block ids in both codes."""
    cache = small_cache(explain=True)
    list(live(cache, seed, 25))
    with Recorder(cache, path):
        list(live(cache, seed + 100, 30))
    return path.read_text("ascii")


def reading(path: Path, text: str) -> dict[str, Any] | None:
    """What Python reads of it; None if it refuses."""
    path.write_text(text, "utf-8")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return state_to_json(fold_all(*read_recording(path)))
        except RecordingError:
            return None


def damage(text: str, draw: random.Random) -> tuple[str, str]:
    """Damage a recording in one of the ways that files are damaged."""
    lines = text.splitlines(keepends=True)
    at = draw.randrange(len(lines))
    match draw.choice(["lost", "doubled", "swapped", "changed", "cut off", "not closed"]):
        case "lost":
            del lines[at]
            return "lost", "".join(lines)
        case "doubled":
            lines.insert(at, lines[at])
            return "doubled", "".join(lines)
        case "swapped":
            at = max(at, 1)
            lines[at - 1 : at + 1] = reversed(lines[at - 1 : at + 1])
            return "swapped", "".join(lines)
        case "changed":
            digits = [k for k, char in enumerate(text) if char.isdigit()]
            k = draw.choice(digits)
            return "changed", text[:k] + str((int(text[k]) + 1) % 10) + text[k + 1 :]
        case "not closed":
            head = lines[0].partition('"num_events":')
            rest = head[2].partition(",")[2]
            opened = f"{head[0]}{head[1]}{'null':<20},{rest}"
            return "not closed", "".join([opened, *lines[1 : max(at, 2)]])
    cut = draw.randrange(len(lines[0]) + 1, len(text))
    head = lines[0].partition('"num_events":')
    opened = f"{head[0]}{head[1]}{'null':<20},{head[2].partition(',')[2]}"
    body = text[len(lines[0]) : cut]
    return "cut off", opened + body


def compare(tmp_path: Path, num_runs: int, num_damaged: int) -> None:
    texts = [recorded(tmp_path / "run.jsonl", seed) for seed in range(num_runs)]
    runs = [{"text": text, "state": reading(tmp_path / "x", text)} for text in texts]
    damaged, draw = [], random.Random(num_damaged)
    for k in range(num_damaged):
        how, text = damage(texts[k % num_runs], draw)
        damaged.append({"how": how, "text": text, "state": reading(tmp_path / "x", text)})
    assert {item["how"] for item in damaged} >= {"lost", "doubled", "swapped", "changed", "cut off"}
    assert any(item["state"] is None for item in damaged)
    path = tmp_path / "recordings.json"
    path.write_text(json.dumps({"runs": runs, "damaged": damaged, "foreign": FOREIGN}), "utf-8")
    node("--test", str(Path(__file__).with_name("jsonl.test.mjs")), RECORDINGS=str(path))


def test_the_browser_reads_what_python_reads(tmp_path: Path) -> None:
    compare(tmp_path, num_runs=4, num_damaged=120)


@pytest.mark.soak
def test_the_browser_reads_what_python_reads_of_many(tmp_path: Path) -> None:
    compare(tmp_path, num_runs=30, num_damaged=3000)


@pytest.mark.parametrize("name", FOREIGN)
def test_python_refuses_the_same_files(tmp_path: Path, name: str) -> None:
    assert reading(tmp_path / "x.jsonl", FOREIGN[name]) is None
