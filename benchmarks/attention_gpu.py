"""Attention on a machine with a GPU, by one command that needs nothing but torch and Triton.

    python benchmarks/attention_gpu.py [--quick] [FOLDER]

It prints the report of `radixlab bench attention --device cuda`, and with a folder leaves it there
as attention.md, a section for RESULTS.md, and attention.json. FlashInfer is measured where it can
be imported. Run the tests on the GPU first: `pytest -m gpu tests/attention`.
"""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from radixlab.bench.attention import measure_attention


@contextmanager
def lines(total: int, what: str, unit: str) -> Iterator[Callable[[], object]]:
    """Say how far it is, a line per unit, for a log."""
    done = iter(range(1, total + 1))
    yield lambda: print(f"{what}: {unit} {next(done)} of {total}", file=sys.stderr, flush=True)


def main() -> None:
    quick, folders = "--quick" in sys.argv, [arg for arg in sys.argv[1:] if arg != "--quick"]
    command = " ".join(["python benchmarks/attention_gpu.py", *["--quick"] * quick])
    report = measure_attention(command, None, quick, lines, "cuda")
    print(report.text())
    for folder in map(Path, folders):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "attention.md").write_text(report.markdown(), encoding="utf-8")
        (folder / "attention.json").write_text(json.dumps(report.as_json()), encoding="utf-8")


if __name__ == "__main__":
    main()
