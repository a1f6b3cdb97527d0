"""Run our parts, and the worked solutions, in SGLang's and vLLM's own code; keep what they found.

    RADIXLAB_PEERS=peers python benchmarks/bridge_record.py --write

Needs the unpacked wheels (benchmarks/peers/README.md) and takes about a minute. Without `--write`
the result is printed. Lesson 09 shows the kept one where there are no wheels, and says so.
"""

import argparse
import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from radixlab.bridge.recorded import FILE

ROOT = Path(__file__).resolve().parents[1]
BACKENDS = ("radixlab-whole-leaves", "radixlab", "radixlab-adaptive", "radixlab-yours")
RUNS = {
    "sglang": ("--seeds", "20", "--steps", "120", *(w for n in BACKENDS for w in ("--only", n))),
    "vllm": ("--seeds", "40", "--steps", "300"),
}
VERSIONS = {"sglang": "0.5.23", "vllm": "0.33.0"}


def graded_cells(notebook: str, exercise: str) -> str:
    """Return the code of a solution notebook's graded cells."""
    text = (ROOT / "solutions" / notebook).read_text(encoding="utf-8")
    cells = ["".join(cell["source"]) for cell in json.loads(text)["cells"]]
    graded = [cell for cell in cells if cell.startswith(f"%%exercise {exercise}")]
    return "\n\n".join(cell.partition("\n")[2] for cell in graded)


def measure() -> dict[str, Any]:
    """Run both engines' traffic, each in a process of its own."""
    with TemporaryDirectory() as folder:
        tree, policy = Path(folder, "tree.py"), Path(folder, "policy.py")
        tree.write_text(graded_cells("ex1_radix_tree.ipynb", "8.5.1"), encoding="utf-8")
        policy.write_text(graded_cells("ex4_eviction_policy.ipynb", "8.5.4"), encoding="utf-8")
        parts = {"RADIXLAB_TREE": f"{tree}:RadixTree", "RADIXLAB_POLICY": f"{policy}:MyPolicy"}
        return {engine: _run(engine, options, parts) for engine, options in RUNS.items()}


def _run(engine: str, options: tuple[str, ...], parts: dict[str, str]) -> Any:
    run = subprocess.run(
        [sys.executable, "-m", f"benchmarks.peers.{engine}_traffic", *options],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env={**os.environ, **parts},
    )
    if run.returncode:
        raise SystemExit(f"{engine}: {run.stderr.strip().splitlines()[-1]}")
    return json.loads(run.stdout.splitlines()[-1]) | {"version": VERSIONS[engine]}


def main() -> None:
    """Print the result, or keep it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--write", action="store_true", help=f"write {FILE.name}")
    if parser.parse_args().write:
        kept = {"date": f"{datetime.now(UTC):%Y-%m-%d}", **measure()}
        FILE.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
        print(f"wrote {FILE}")
    else:
        print(json.dumps(measure()))


if __name__ == "__main__":
    main()
