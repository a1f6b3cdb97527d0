"""What Triton makes of a kernel for an H100 or H200 (sm_90), on a machine that has neither.

Triton's compiler and NVIDIA's `ptxas` come with the package, so a cubin can be built and inspected
anywhere. A process that interprets kernels (`TRITON_INTERPRET=1`) cannot compile them.
"""

import re
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from radixlab.attention.triton.config import TileConfig

_NUMBERS = {"q", "k_pool", "v_pool", "out", "k_new", "v_new"}
_FLOATS = {"partial_out", "partial_lse", "lse"}


@dataclass(frozen=True, slots=True)
class Compiled:
    """What matters about a cubin."""

    registers: int
    """Per thread; the hardware has at most 255."""
    spills: int
    """Bytes and instructions for values that did not fit in registers."""
    shared_bytes: int
    hgmma: int
    """Instructions by which a whole warp group multiplies matrices."""
    async_copies: int
    """Instructions that load data while others compute."""


def attention_constants(
    dtype: str, head_dim: int, group: int, tile: TileConfig, block_size: int = 16
) -> dict[str, object]:
    """Return the constants of `decode_spans` and `prefill_tiles`, for 8 KV heads."""
    return {
        "H": 8 * group,
        "HK": 8,
        "D": head_dim,
        "BLOCK_SIZE": block_size,
        "ROWS": tile.rows,
        "KEYS": tile.keys,
        "PRECISION": "ieee" if dtype == "fp32" else "tf32",
        "ONE_PART": False,
    }


def build(kernel: Any, dtype: str, constants: Mapping[str, object], warps: int, stages: int) -> Any:
    """Compile a kernel for pointers aligned as torch aligns its allocations."""
    import triton
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource

    names = kernel.arg_names
    types = {name: _type_of(name, dtype, constants) for name in names}
    values = {(i,): constants[name] for i, name in enumerate(names) if name in constants}
    aligned = {
        (i,): [["tt.divisibility", 16]]
        for i, name in enumerate(names)
        if types[name].startswith("*")
    }
    source = ASTSource(kernel, types, values, aligned)
    options = {"num_warps": warps, "num_stages": stages}
    return triton.compile(source, target=GPUTarget("cuda", 90, 32), options=options)


def look_into(built: Any) -> Compiled:
    """Read a cubin's registers, spills and shared memory, and count its instructions."""
    import triton.backends.nvidia

    tools = Path(triton.backends.nvidia.__file__).parent / "bin"
    with tempfile.TemporaryDirectory() as folder:
        cubin = Path(folder) / "kernel.cubin"
        cubin.write_bytes(built.asm["cubin"])
        command = [str(tools / "cuobjdump"), "-res-usage", "-sass", str(cubin)]
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    usage = re.search(r"REG:(\d+) STACK:(\d+) SHARED:\d+ LOCAL:(\d+)", said)
    assert usage, "cuobjdump prints the resources of every kernel"
    return Compiled(
        registers=int(usage[1]),
        spills=int(usage[2]) + int(usage[3]) + len(re.findall(r"\b(?:STL|LDL)\b", said)),
        shared_bytes=int(built.metadata.shared),
        hgmma=said.count("HGMMA"),
        async_copies=said.count("LDGSTS"),
    )


def _type_of(name: str, dtype: str, constants: Mapping[str, object]) -> str:
    """Return the type of an argument as the backend passes it."""
    if name in constants:
        return "constexpr"
    if name in _NUMBERS:
        return f"*{dtype}"
    if name in _FLOATS:
        return "*fp32"
    if name == "slots" and "WIDTH" in constants:
        return "*i64"
    return {"scale": "fp32", "max_blocks": "i32"}.get(name, "*i32")
