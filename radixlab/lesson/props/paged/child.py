"""A separate program for lesson 06: it interprets or compiles the kernels, and prints JSON.

A process can either interpret or compile kernels, and a wild pointer in an interpreted kernel would
crash the notebook's kernel. `kernels.py` starts this program.
"""

import json
import sys
from dataclasses import asdict

from torch import Tensor

from radixlab.attention import DecodePlan, decode, reference, tree_plan
from radixlab.attention.triton import kernels
from radixlab.attention.triton.backend import prepare
from radixlab.attention.triton.compiled import attention_constants, build, look_into
from radixlab.attention.triton.config import TILES
from radixlab.lesson.props.paged.batch import FiveRequests, five_requests, used_pool
from radixlab.lesson.props.paged.toy import ToyLayer

Fact = dict[str, object]


def interpret() -> list[Fact]:
    """Decode the lesson's five requests by either plan, and compare with fp64."""
    five = five_requests(ToyLayer(), *used_pool(num_blocks=64))
    group = five.q.shape[1] // five.pool.kv_heads
    tree = tree_plan(five.sequences, five.pool.block_size, group)
    want, _ = reference.decode(five.q.double(), five.double(), tree)
    plans = {"flat": five.flat_plan(), "tree": tree}
    return [{"plan": name} | _interpret(five, plan, want) for name, plan in plans.items()]


def _interpret(five: FiveRequests, plan: DecodePlan, want: Tensor) -> Fact:
    q, pool = five.q, five.pool
    got, _ = decode(q, pool, plan, backend="triton")
    group = q.shape[1] // pool.kv_heads
    placed = prepare(plan, group, q.element_size(), q.device, pool.kv_heads)
    return {
        "programs": sum(len(launch.span) for launch in placed.launches) * pool.kv_heads,
        "merges": len(q) * q.shape[1] if placed.num_parts > len(q) else 0,
        "error": float((got.double() - want).abs().max() / want.abs().max()),
    }


def compile_tiles() -> list[Fact]:
    """Compile `decode_spans` for bf16, heads of 128, 4 per KV head, in each tile size."""
    found = []
    for tile in TILES[2].decode:
        constants = attention_constants("bf16", 128, 4, tile)
        built = build(kernels.decode_spans, "bf16", constants, tile.warps, tile.stages)
        found.append(asdict(tile) | asdict(look_into(built)))
    return found


PROGRAMS = {"interpret": interpret, "compile": compile_tiles}

if __name__ == "__main__":
    print(json.dumps(PROGRAMS[sys.argv[1]]()))
