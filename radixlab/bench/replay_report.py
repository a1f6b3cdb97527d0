"""The report of `radixlab replay`: runs of one workload under several policies, side by side."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

from radixlab.bench.report import count, text_table
from radixlab.config import CacheConfig
from radixlab.workloads import ReplayResult, Workload


@dataclass(frozen=True, slots=True)
class PolicyRun:
    """One policy's result."""

    policy: str
    result: ReplayResult


def as_text(workload: Workload, config: CacheConfig, runs: list[PolicyRun]) -> str:
    """Format a table for a terminal."""
    head = f"{workload.num_requests:,} requests of {workload.name}, {pools(config)}"
    rejected = any(run.result.rejected_requests for run in runs)
    header = [
        "policy",
        *(["rejected requests"] if rejected else []),
        "prompt tokens",
        "hit tokens",
        "token hit rate",
        "evicted blocks",
        *(["from the host", "dropped blocks"] if config.num_host_blocks else []),
        "CPU µs/request",
    ]
    rows = [_cells(run, rejected, with_host=config.num_host_blocks > 0) for run in runs]
    return f"{head}\n\n{text_table(header, rows)}"


def pools(config: CacheConfig) -> str:
    """Name the pool, and the host's if there is one."""
    device = f"{config.num_blocks:,} blocks of {config.block_size} tokens"
    return device + (f" and {n:,} on the host" if (n := config.num_host_blocks) else "")


def as_json(workload: Workload, config: CacheConfig, runs: list[PolicyRun]) -> str:
    """Format one JSON object, one line."""
    return json.dumps(
        {
            "trace": workload.name,
            "requests": workload.num_requests,
            "num_blocks": config.num_blocks,
            "block_size": config.block_size,
            **({"num_host_blocks": config.num_host_blocks} if config.num_host_blocks else {}),
            "runs": [_fields(run, with_host=config.num_host_blocks > 0) for run in runs],
        }
    )


def notes(runs: list[PolicyRun], config: CacheConfig) -> Iterator[str]:
    """Yield a line for each thing that a reader of the table must know."""
    rejected = max(run.result.rejected_requests for run in runs)  # the same for every policy
    if rejected:
        pool = f"{config.num_blocks:,} blocks of {config.block_size} tokens"
        requests = count(rejected, "request")
        yield f"note: {requests} can never fit in {pool}: rejected and not counted"
    if config.num_host_blocks and any(run.policy == "belady" for run in runs):
        yield "note: with a host tier belady is no bound: it is optimal for the device alone"


def _cells(run: PolicyRun, with_rejected: bool, *, with_host: bool) -> list[str]:
    r = run.result
    return [
        run.policy,
        *([f"{r.rejected_requests:,}"] if with_rejected else []),
        f"{r.prompt_tokens:,}",
        f"{r.hit_tokens:,}",
        f"{r.token_hit_rate:.6f}",
        f"{r.evicted_blocks:,}",
        *([f"{r.host_hit_tokens:,}", f"{r.dropped_blocks:,}"] if with_host else []),
        f"{r.cpu_us_per_request:.1f}",
    ]


def _fields(run: PolicyRun, *, with_host: bool) -> dict[str, object]:
    r = run.result
    host = {"host_hit_tokens": r.host_hit_tokens, "dropped_blocks": r.dropped_blocks}
    return {
        "policy": run.policy,
        "rejected_requests": r.rejected_requests,
        "prompt_tokens": r.prompt_tokens,
        "hit_tokens": r.hit_tokens,
        "token_hit_rate": r.token_hit_rate,
        "evicted_blocks": r.evicted_blocks,
        **(host if with_host else {}),
        "cpu_us_per_request": round(r.cpu_us_per_request, 3),
    }
