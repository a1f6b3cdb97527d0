"""The tile sizes that a kernel runs with: a fixed table, without a search.

`triton.autotune` would need a GPU at import. Every row of the table compiles for sm_90 without
spills; a test compiles each.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TileConfig:
    """A tile of rows (queries times group) and a tile of keys."""

    rows: int
    keys: int
    stages: int
    """Key tiles that are loaded in advance."""
    warps: int


@dataclass(frozen=True, slots=True)
class Tiles:
    """The tiles for one size of numbers."""

    decode: tuple[TileConfig, ...]
    """In order of rows; a span with more rows than the last tile becomes several work items."""
    prefill: TileConfig


TILES = {
    2: Tiles(  # fp16, bf16: matrix units, used by warp groups from 64 rows on
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
"""By the size of a number in bytes."""
HEAD_DIMS = (32, 64, 128)
"""The head dimensions that the table covers."""

MAX_SPAN_TOKENS = 1024
"""Longer spans are cut, so that a few long ones keep the whole GPU busy."""
