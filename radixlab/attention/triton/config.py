"""Which tile sizes a kernel runs with: a table, no search.

`triton.autotune` would need a GPU to import. The table holds what compiles for sm_90 without spills
(a test compiles each row) and was fastest where it could be timed (benchmarks/RESULTS.md).
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TileConfig:
    """A tile of rows (queries times group) against a tile of keys."""

    rows: int
    keys: int
    stages: int
    warps: int


DECODE = (
    TileConfig(rows=16, keys=64, stages=3, warps=4),
    TileConfig(rows=64, keys=64, stages=3, warps=4),
    TileConfig(rows=128, keys=64, stages=3, warps=8),
)
"""By rising rows: a span with more rows than a tile has becomes several work items."""
PREFILL = TileConfig(rows=128, keys=64, stages=3, warps=8)

MAX_SPAN_TOKENS = 1024
"""Longer spans are cut, so that a few long ones keep the whole GPU busy."""


def decode_config(max_rows: int) -> TileConfig:
    """Return the smallest tile that holds all rows of the largest span, or the largest tile."""
    return next((config for config in DECODE if config.rows >= max_rows), DECODE[-1])
