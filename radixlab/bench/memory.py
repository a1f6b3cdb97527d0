"""How much memory a cache needs for each block that it holds, beside the KV itself.

Each contender fills its pool in a process of its own, which is new: documents of 64 blocks in
families of 8 that share their first 16, until every block is cached. What the process has grown by
since before the cache was made, divided by the blocks, is the figure: tree, allocator, the tokens
that the tree keeps, and what the allocator of memory holds back. `python -m radixlab.bench.memory
NAME BLOCKS [FOLDER]` is such a process, and prints one JSON object.
"""

import ctypes
import gc
import json
import subprocess
import sys
import tempfile
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from radixlab.bench.builds import NAME as COMPILED_NAME
from radixlab.bench.contenders import OURS, Contender
from radixlab.bench.growth import (
    BLOCK_SIZE,
    DOCUMENT_TOKENS,
    FAMILY_SIZE,
    OWN_BLOCKS,
    PREFIX_BLOCKS,
    document_tokens,
)
from radixlab.bench.peers import find_peers
from radixlab.config import CacheConfig
from radixlab.workloads import Request, Workload

BLOCKS = 1_000_000
NO_OUTPUT = np.empty(0, np.int32)
FAMILY_BLOCKS = PREFIX_BLOCKS + FAMILY_SIZE * OWN_BLOCKS
TIMEOUT_S = 1800


@dataclass(frozen=True, slots=True)
class MemoryRow:
    """One contender at one number of blocks."""

    contender: str
    num_blocks: int
    """Blocks cached: as many as fill whole families."""
    rss_bytes: float
    """Growth of the process, per block."""
    traced_bytes: float
    """What Python and NumPy allocate for a block, in a run of a tenth of the blocks."""


def measure_memory(
    names: list[str],
    num_blocks: int = BLOCKS,
    peers: Path | None = None,
    fast: Path | None = None,
    progress: Callable[[], object] | None = None,
) -> tuple[list[MemoryRow], dict[str, str]]:
    """Measure the contenders named, one after another; also return who could not be, and why."""
    rows, failed = [], {}
    for name in names:
        try:
            rss = _in_new_process(name, num_blocks, peers, fast, is_traced=False)
            traced = _in_new_process(name, num_blocks // 10, peers, fast, is_traced=True)
        except (OSError, RuntimeError, subprocess.TimeoutExpired) as error:
            failed[name] = str(error)
            continue
        finally:
            if progress:
                progress()
        rows.append(MemoryRow(name, int(rss["num_blocks"]), rss["bytes"], traced["bytes"]))
    return rows, failed


def documents(num_blocks: int) -> Iterator[Request]:
    """Yield the documents of as many whole families as `num_blocks` blocks hold."""
    for number in range(num_blocks // FAMILY_BLOCKS * FAMILY_SIZE):
        tokens = document_tokens(number // FAMILY_SIZE, number)
        yield Request(np.concatenate((tokens, tokens[:1])), NO_OUTPUT)  # one token to compute


def fill(name: str, num_blocks: int, folder: Path | None, is_traced: bool) -> dict[str, float]:
    """Fill a new cache of this process, and return its bytes per block."""
    make = _maker(name, folder)
    warm = make(num_blocks)  # what a first cache brings into the process is not the second's
    for request in documents(2 * FAMILY_BLOCKS):
        warm.serve(warm.prepare(request))
    del warm
    gc.collect()
    if is_traced:
        tracemalloc.start()
    before = _traced() if is_traced else resident_bytes()
    contender = make(num_blocks)
    for request in documents(num_blocks):
        contender.serve(contender.prepare(request))
    gc.collect()
    after = _traced() if is_traced else resident_bytes()
    oldest = contender.prepare(next(documents(num_blocks)))
    if (hit := contender.serve(oldest)) != DOCUMENT_TOKENS:
        raise RuntimeError(f"{name} found {hit} tokens of its oldest document: it did not keep all")
    cached = num_blocks // FAMILY_BLOCKS * FAMILY_BLOCKS
    return {"num_blocks": cached, "bytes": (after - before) / cached}


def resident_bytes() -> int:
    """Return how much memory this process has in use, as Linux counts it.

    Before, what the C library keeps for later is given back: new objects would hide in it.
    """
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).malloc_trim(0)
    text = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
    line = next(line for line in text.splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) * 1024


def _traced() -> int:
    return tracemalloc.get_traced_memory()[0]


def _maker(name: str, folder: Path | None) -> Callable[[int], Contender]:
    entries = {OURS.name: OURS, COMPILED_NAME: OURS}
    if folder:
        entries |= {entry.name: entry for entry in find_peers(folder).entries}
    entry, nothing = entries[name], Workload("documents", 0, lambda: iter(()))
    # Room for a document that is still running while the next comes.
    return lambda blocks: entry.make(
        CacheConfig(blocks + PREFIX_BLOCKS + OWN_BLOCKS + 1, BLOCK_SIZE), nothing
    )


def _in_new_process(
    name: str, num_blocks: int, peers: Path | None, fast: Path | None, is_traced: bool
) -> dict[str, float]:
    python, isolated = sys.executable, list[str]()
    if name == COMPILED_NAME:
        if fast is None:
            raise RuntimeError("there is no .venv-fast; make fast builds it")
        python, isolated = str(fast), ["-I"]  # without PYTHONPATH, which would bring the sources
    what = [name, str(num_blocks), str(peers.resolve() if peers else ""), str(int(is_traced))]
    command = [python, *isolated, "-m", "radixlab.bench.memory", *what]
    with tempfile.TemporaryDirectory() as empty:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=TIMEOUT_S, check=False,
            cwd=empty if isolated else None,
        )  # fmt: skip
    if done.returncode:
        raise RuntimeError((done.stderr.strip().splitlines() or ["its process ended"])[-1])
    told: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return told


if __name__ == "__main__":
    who, blocks, where, traced = sys.argv[1:]
    print(json.dumps(fill(who, int(blocks), Path(where) if where else None, traced == "1")))
