"""Attention on a machine with a GPU, by one command that needs nothing but torch and Triton.

    python benchmarks/attention_gpu.py [--quick] [--device cpu] [FOLDER]

It measures what `radixlab bench attention --device cuda` does. Each row is printed as it is
measured, and with a folder also kept in attention.jsonl; attention.md, a section for RESULTS.md,
follows at the end. FlashInfer is measured where it can be imported. `--device cpu --quick`
rehearses the program without a GPU.
"""

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from radixlab.bench.attention import measure_attention
from radixlab.bench.table import Cell


@contextmanager
def lines(total: int, what: str, unit: str) -> Iterator[Callable[[], object]]:
    """Say how far it is, a line per unit, for a log."""
    done = iter(range(1, total + 1))
    yield lambda: print(f"{what}: {unit} {next(done)} of {total}", file=sys.stderr, flush=True)


def main(arguments: Sequence[str]) -> None:
    quick, device = "--quick" in arguments, "cpu" if "cpu" in arguments else "cuda"
    folders = [Path(a) for a in arguments if not a.startswith("--") and a not in ("cpu", "cuda")]

    def tell(row: list[Cell]) -> None:
        print("  ".join(map(str, row)), flush=True)
        for folder in folders:
            folder.mkdir(parents=True, exist_ok=True)
            with (folder / "attention.jsonl").open("a", encoding="utf-8") as file:
                file.write(json.dumps([str(cell) for cell in row]) + "\n")

    command = " ".join(["python benchmarks/attention_gpu.py", *["--quick"] * quick])
    report = measure_attention(command, None, quick, lines, device, tell)
    for folder in folders:
        (folder / "attention.md").write_text(report.markdown() + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
