"""The command for a machine with a GPU, rehearsed on one without, and without click and tqdm."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="torch is not installed: the extra `model` brings it")
if not shutil.which("bash"):
    pytest.skip("there is no bash here", allow_module_level=True)

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "benchmarks" / "gpu_run.sh"
HIDE = """
import sys

class Hidden:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"click", "tqdm"} and "pytest" not in sys.modules:
            import traceback
            if any("radixlab" in frame.filename for frame in traceback.extract_stack()):
                raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Hidden())
"""


def run(*words: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHON": sys.executable, "OMP_NUM_THREADS": "1"} | variables
    command = ["bash", str(SCRIPT), *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=600)


def test_it_says_how_it_is_called() -> None:
    done = run()
    assert done.returncode == 2 and done.stderr.startswith("usage: benchmarks/gpu_run.sh")


def test_without_time_it_runs_nothing_and_says_so(tmp_path: Path) -> None:
    done = run("--rehearse", tmp_path, GPU_RUN_SECONDS="0")
    summary = (tmp_path / "summary.txt").read_text()
    assert done.returncode == 1 and done.stdout == summary
    assert "attention: not run: no time is left" in summary


@pytest.mark.soak
def test_a_rehearsal_leaves_every_result(tmp_path: Path) -> None:
    site, out = tmp_path / "site", tmp_path / "out"
    site.mkdir()
    (site / "sitecustomize.py").write_text(HIDE)
    done = run("--rehearse", out, PYTHONPATH=str(site))
    assert done.returncode == 0, done.stdout + (out / "run.log").read_text()
    rows = [json.loads(line) for line in (out / "attention.jsonl").read_text().splitlines()]
    assert len(rows) > 5
    for name in ("attention", "e2e"):
        section = (out / f"{name}.md").read_text()
        assert section.startswith("## ") and section.count("\n|") > 6
