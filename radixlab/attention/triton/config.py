"""The tile sizes that a kernel runs with: a fixed table, without a search.

`triton.autotune` would need a GPU at import. Every row of the table compiles for sm_90 without
spills; a test compiles each. The sizes for two bytes are the fastest of about ten on an H200.
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
    items_per_processor: float = 1
    """Work items of a decode step that each processor should get."""


@dataclass(frozen=True, slots=True)
class Tiles:
    """The tiles for one size of numbers."""

    decode: tuple[TileConfig, ...]
    """In order of rows; a span with more rows than the last tile becomes several work items."""
    prefill: TileConfig


TILES = {
    2: Tiles(  # fp16, bf16: matrix units, used by warp groups from 64 rows on
        decode=(
            TileConfig(rows=16, keys=64, stages=3, warps=2, items_per_processor=3.5),
            TileConfig(rows=64, keys=64, stages=2, warps=4, items_per_processor=1.5),
            TileConfig(rows=128, keys=128, stages=3, warps=8, items_per_processor=0.75),
        ),
        prefill=TileConfig(rows=128, keys=128, stages=3, warps=8),
    ),
    4: Tiles(  # fp32: exact products, which need registers
        decode=(
            TileConfig(rows=16, keys=32, stages=3, warps=4, items_per_processor=3.5),
            TileConfig(rows=64, keys=32, stages=3, warps=8, items_per_processor=0.75),
        ),
        prefill=TileConfig(rows=64, keys=32, stages=3, warps=8),
    ),
}
"""By the size of a number in bytes."""
HEAD_DIMS = (32, 64, 128)
"""The head dimensions that the table covers."""

MIN_PIECE_TOKENS = 256
"""No span is cut into pieces shorter than this: merging them would cost more than it saves."""
