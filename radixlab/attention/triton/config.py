"""Which tile sizes a kernel runs with: a table, no search.

`triton.autotune` would need a GPU to import. Every row of the table compiles for sm_90 without
spills (a test compiles each).
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TileConfig:
    """A tile of rows (queries times group) against a tile of keys."""

    rows: int
    keys: int
    stages: int
    """Key tiles that are loaded ahead."""
    warps: int


@dataclass(frozen=True, slots=True)
class Tiles:
    """The tiles for numbers of one size."""

    decode: tuple[TileConfig, ...]
    """By rising rows: a span with more rows than the last has becomes several work items."""
    prefill: TileConfig


TILES = {
    2: Tiles(  # fp16, bf16: matrix units, of warp groups from 64 rows on
        decode=(
            TileConfig(rows=16, keys=64, stages=3, warps=4),
            TileConfig(rows=64, keys=64, stages=3, warps=4),
            TileConfig(rows=128, keys=64, stages=3, warps=8),
        ),
        prefill=TileConfig(rows=128, keys=64, stages=3, warps=8),
    ),
    4: Tiles(  # fp32: exact products, which need registers
        decode=(
            TileConfig(rows=16, keys=32, stages=3, warps=4),
            TileConfig(rows=64, keys=32, stages=3, warps=8),
        ),
        prefill=TileConfig(rows=64, keys=32, stages=3, warps=8),
    ),
}
"""By the bytes of a number."""
HEAD_DIMS = (32, 64, 128)
"""The tables hold for these."""

MAX_SPAN_TOKENS = 1024
"""Longer spans are cut, so that a few long ones keep the whole GPU busy."""
