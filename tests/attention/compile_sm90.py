"""Compile shipped configurations for sm_90, without a GPU; print what came out, as JSON.

A program of its own: test_triton.py runs it and judges. With the argument `all`, it compiles every
configuration.
"""

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict

from radixlab.attention.triton import kernels
from radixlab.attention.triton.compiled import attention_constants, build, look_into
from radixlab.attention.triton.config import TILES

# fp16 and bf16 take the same tiles and instructions, so each head_dim is compiled for one of them;
# smaller heads take less of everything.
SHAPES = [("bf16", 128, 4), ("fp32", 128, 4)]
SMALLER = [("fp16", 64, 1), ("bf16", 32, 8)]


def main():
    with ThreadPoolExecutor(2) as pool:  # the next kernel is built while one is looked into
        found = {
            name: (facts, pool.submit(look_into, built)) for name, facts, built in kernels_built()
        }
        print(
            json.dumps(
                {name: facts | asdict(seen.result()) for name, (facts, seen) in found.items()}
            )
        )


def kernels_built():
    for dtype, head_dim, group in SHAPES + (SMALLER if "all" in sys.argv else []):
        tiles = TILES[4 if dtype == "fp32" else 2]
        work = [(kernels.decode_spans, tile) for tile in tiles.decode]
        for kernel, tile in [*work, (kernels.prefill_tiles, tiles.prefill)]:
            constants = attention_constants(dtype, head_dim, group, tile)
            name = f"{kernel.__name__} {dtype} d{head_dim} g{group} rows{tile.rows}"
            facts = {"dtype": dtype, "rows": tile.rows}
            yield name, facts, build(kernel, dtype, constants, tile.warps, tile.stages)
    plain = [
        (kernels.merge_partials, {"H": 32, "D": 128, "PARTS": 8}, 1),
        (kernels.write_slots, {"WIDTH": 1024, "PADDED": 1024}, 4),
    ]
    for kernel, constants, warps in plain:
        facts = {"dtype": "bf16", "rows": 0}
        yield kernel.__name__, facts, build(kernel, "bf16", constants, warps, 3)


if __name__ == "__main__":
    main()
