"""Compile every shipped configuration for sm_90, without a GPU; print what came out, as JSON.

A program of its own: test_triton.py runs it and judges.
"""

import json
import os
import re
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

# fp16 takes the same tiles and instructions as bf16; smaller heads take less of everything.

# fp16 and bf16 take the same tiles and instructions, so each head_dim is compiled for one of them.
SHAPES = [("bf16", 128, 4), ("fp16", 64, 1), ("bf16", 32, 8), ("fp32", 128, 4)]


def main():
    with ThreadPoolExecutor(2) as pool:  # the next kernel is built while one is looked into
        found = {
            name: (facts, pool.submit(look_into, built)) for name, facts, built in kernels_built()
        }
        print(json.dumps({name: facts | seen.result() for name, (facts, seen) in found.items()}))


def kernels_built():
    from radixlab.attention.triton import kernels
    from radixlab.attention.triton.config import TILES

    for dtype, head_dim, group in SHAPES:
        tiles = TILES[4 if dtype == "fp32" else 2]
        work = [(kernels.decode_spans, tile) for tile in tiles.decode]
        for kernel, tile in [*work, (kernels.prefill_tiles, tiles.prefill)]:
            constants = heads(group, head_dim) | {
                "BLOCK_SIZE": 16,
                "ROWS": tile.rows,
                "KEYS": tile.keys,
                "PRECISION": "ieee" if dtype == "fp32" else "tf32",
            }
            name = f"{kernel.__name__} {dtype} d{head_dim} g{group} rows{tile.rows}"
            facts = {"dtype": dtype, "rows": tile.rows}
            yield name, facts, build(kernel, dtype, constants, tile.warps, tile.stages)
    plain = [
        (kernels.merge_partials, {"H": 32, "D": 128}, 1),
        (kernels.write_slots, {"WIDTH": 1024, "PADDED": 1024}, 4),
    ]
    for kernel, constants, warps in plain:
        facts = {"dtype": "bf16", "rows": 0}
        yield kernel.__name__, facts, build(kernel, "bf16", constants, warps, 3)


def heads(group, head_dim):
    return {"H": 8 * group, "HK": 8, "D": head_dim}


NUMBERS = {"q", "k_pool", "v_pool", "out", "k_new", "v_new"}
FLOATS = {"partial_out", "partial_lse", "lse"}


def type_of(name, dtype, constants):
    """The type of an argument as the backend passes it."""
    if name in constants:
        return "constexpr"
    if name in NUMBERS:
        return f"*{dtype}"
    if name in FLOATS:
        return "*fp32"
    if name == "slots" and "WIDTH" in constants:
        return "*i64"
    return {"scale": "fp32", "max_blocks": "i32"}.get(name, "*i32")


def build(kernel, dtype, constants, warps, stages):
    """Compile for an H100 or H200, with the alignment that torch's allocations have."""
    import triton
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource

    names = kernel.arg_names
    types = {name: type_of(name, dtype, constants) for name in names}
    values = {(i,): constants[name] for i, name in enumerate(names) if name in constants}
    aligned = {
        (i,): [["tt.divisibility", 16]]
        for i, name in enumerate(names)
        if types[name].startswith("*")
    }
    source = ASTSource(kernel, types, values, aligned)
    options = {"num_warps": warps, "num_stages": stages}
    return triton.compile(source, target=GPUTarget("cuda", 90, 32), options=options)


def look_into(built):
    """What matters of a cubin: memory, spills, and which instructions do the work."""
    import triton.backends.nvidia

    tools = Path(triton.backends.nvidia.__file__).parent / "bin"
    with tempfile.TemporaryDirectory() as folder:
        cubin = os.path.join(folder, "kernel.cubin")
        Path(cubin).write_bytes(built.asm["cubin"])
        command = [tools / "cuobjdump", "-res-usage", "-sass", cubin]
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    usage = re.search(r"REG:(\d+) STACK:(\d+) SHARED:\d+ LOCAL:(\d+)", said)
    return {
        "registers": int(usage[1]),
        "spills": int(usage[2]) + int(usage[3]) + len(re.findall(r"\b(?:STL|LDL)\b", said)),
        "shared_bytes": built.metadata.shared,
        "hgmma": said.count("HGMMA"),
        "async_copies": said.count("LDGSTS"),
    }


if __name__ == "__main__":
    main()
