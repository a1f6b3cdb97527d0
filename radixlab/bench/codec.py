"""Prefix compression: how small block ids get, and what packing and unpacking costs.

Ids in order are the best case, random ones the worst; *real* are the block tables of a run, one
after the other: of the production trace where it is present, else of generated chats.
"""

import time
from collections.abc import Callable

import numpy as np

from radixlab.bench.measure import quiet_gc, spread
from radixlab.bench.report import count
from radixlab.bench.table import Cell, Shown, TableReport
from radixlab.bench.tree_report import Progress
from radixlab.cache import CacheConfig, KVCacheManager, Tokens
from radixlab.cache.results import BlockIds
from radixlab.observe.codec import MARKS, Codec, CompressedIds
from radixlab.workloads import Workload, conversation_trace, open_workload

HEADER = ("ids", "codec", "of int32", "encode, M ids/s", "decode, M ids/s", "both, M ids/s")


def measure_codec(command: str, rounds: int | None, quick: bool, progress: Progress) -> TableReport:
    """Run the benchmark; `command` is what the report will say it was."""
    rounds, num_ids = rounds or (3 if quick else 9), 1 << (18 if quick else 22)
    real, source = real_ids(100 if quick else 500)
    random = np.random.default_rng(0)
    kinds = {
        "in order": np.arange(num_ids, dtype=np.int32),
        "of a real run": real,
        "random": random.integers(-(2**31), 2**31, num_ids).astype(np.int32),
    }
    with progress(len(kinds) * len(MARKS), "codec", "case") as advance:
        rows = [
            _row(kind, ids, codec, rounds, advance)
            for kind, ids in kinds.items()
            for codec in MARKS
        ]
    what = (
        f"{num_ids:,} ids, {len(real):,} of them real: block tables of {source}. CPU time of one "
        f"thread, median (min - max) of {count(rounds, 'round')}. Where no codec is asked for, "
        "as in a recording, both are tried and the smaller is kept"
    )
    return TableReport("Prefix compression", command, what, HEADER, rows)


def real_ids(num_requests: int) -> tuple[BlockIds, str]:
    """Return the block tables of a replay, int32 `[n]`, and whose they are."""
    trace = conversation_trace()
    workload = open_workload(str(trace) if trace else "multi-turn-chat", num_requests)
    num_blocks = 20_000 if trace else 2_000
    tables = block_tables(workload, num_blocks)
    name = trace.name if trace else workload.name
    return tables, f"{num_requests} requests of {name} in {num_blocks:,} blocks"


def block_tables(workload: Workload, num_blocks: int) -> BlockIds:
    """Replay, and keep each request's block table."""
    manager, tables = KVCacheManager(CacheConfig(num_blocks)), []
    for request in workload.requests():
        if request.num_tokens > num_blocks * manager.config.block_size:
            continue
        prompt = Tokens(request.prompt, reserve_tokens=len(request.output))
        sequence = manager.allocate(prompt, request.namespace, len(request.output))
        manager.append(sequence, request.output)
        manager.commit(sequence, prompt.num_tokens)
        tables.append(sequence.block_table.copy())
        manager.release(sequence)
    return np.concatenate(tables)


def _row(
    kind: str, ids: BlockIds, codec: Codec, rounds: int, advance: Callable[[], object]
) -> list[Cell]:
    coded = CompressedIds.encode(ids, codec)
    assert coded.decode().tobytes() == ids.tobytes()
    with quiet_gc():
        encode_s = [_seconds(lambda: CompressedIds.encode(ids, codec)) for _ in range(rounds)]
        decode_s = [_seconds(coded.decode) for _ in range(rounds)]
    advance()
    million = len(ids) / 1e6
    both = (million / (a + b) for a, b in zip(encode_s, decode_s, strict=True))
    return [
        kind,
        codec,
        Shown(coded.ratio, ".4%"),
        spread(million / s for s in encode_s),
        spread(million / s for s in decode_s),
        spread(both),
    ]


def _seconds(action: Callable[[], object]) -> float:
    start = time.thread_time_ns()
    action()
    return max(1, time.thread_time_ns() - start) / 1e9
