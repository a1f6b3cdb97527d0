"""What our parts did in the engines' own code, as `benchmarks/bridge_record.py` wrote it down.

The engines are too large to install for a course, so lesson 09 shows this record, and says that it
is one. Anyone who unpacks the wheels can make it again (benchmarks/peers/README.md).
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("recorded.json")
NAMES = {
    "SGLang": "SGLang's RadixCache",
    "radixlab-whole-leaves": "our tree, whole leaves",
    "radixlab": "our tree, trims tails",
    "radixlab-adaptive": "our tree, adaptive",
    "radixlab-yours": "the tree of exercise 8.5.1",
    "lru": "vLLM's lru",
    "RadixlabFlatLRU": "our LRU, flat",
    "RadixlabLRU": "our LRU, parents last",
    "RadixlabAdaptive": "our adaptive policy",
    "RadixlabYours": "the policy of exercise 8.5.4",
}


@dataclass(frozen=True, slots=True)
class Recorded:
    """The record; `str` or `print` shows it as a table of at most 90 columns."""

    date: str
    sglang: dict[str, Any]
    vllm: dict[str, Any]

    def __str__(self) -> str:
        """Return both tables, headed by when and with what they were recorded."""
        sglang, vllm = self.sglang, self.vllm
        engines = f"SGLang {sglang['version']} and vLLM {vllm['version']}"
        return "\n".join(
            [
                f"Recorded on {self.date} in {engines}; nothing ran just now.",
                "The exercises' parts are the worked solutions.",
                "",
                f"SGLang's requests and allocators, {_runs(sglang)}",
                *_table(sglang, "caches", "tokens", ("hit_tokens", "evicted_tokens")),
                "",
                f"vLLM's CPU offload manager, {_runs(vllm)}",
                *_table(
                    vllm, "policies", "chunks", ("hit_chunks", "evicted_chunks", "orphaned_chunks")
                ),
                "",
                "Equal: every hit, size, row, eviction and event is the engine's own.",
                "Orphaned: cached behind a missing chunk, so of no use.",
            ]
        )


def recorded() -> Recorded:
    """Return the record that ships with radixlab."""
    return Recorded(**json.loads(FILE.read_text(encoding="utf-8")))


def _runs(engine: dict[str, Any]) -> str:
    return f"{engine['runs']} drawn runs, {engine['steps']:,} steps:"


def _table(engine: dict[str, Any], rows: str, unit: str, columns: tuple[str, ...]) -> list[str]:
    heads = [column.partition("_")[0] for column in columns]
    heads[0] = f"{unit} found"
    lines = [f"  {'':30}" + "".join(f"{head:>14}" for head in heads) + f"{'equal runs':>14}"]
    for name, found in engine[rows].items():
        numbers = "".join(f"{found[column]:>14,}" for column in columns)
        equal = f"{found['equal_runs']} of {engine['runs']}"
        lines.append(f"  {NAMES[name]:30}{numbers}{equal:>14}")
    return lines
