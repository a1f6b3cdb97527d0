"""The columns of a table of replays: which there are, and what stands in a cell.

It knows runs. It does not know how wide a terminal is.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from radixlab.bench.replay_runs import PolicyRun
from radixlab.config import CacheConfig
from radixlab.workloads import ReplayResult

START, END = "lru", "belady"
"""The gap between these two is what a policy can close."""
MAX_NAME = 23
"""Characters of a policy's name; of a longer one its end is shown."""
NOTHING = "-"


@dataclass(frozen=True, slots=True)
class Column:
    """A header of one or two lines, and what it says of a run."""

    header: str
    cell: Callable[[PolicyRun], str]
    spare: int = 0
    """Where the table is too wide, 1 is left out first; 0 always stays."""

    @property
    def name(self) -> str:
        """The header in one line."""
        return self.header.replace("\n", " ")


def columns(runs: Sequence[PolicyRun]) -> list[Column]:
    """Return the columns that these runs need, in order."""
    closed = gaps_closed(runs)
    configs = {run.config for run in runs}
    several, with_host = len(configs) > 1, any(config.num_host_blocks for config in configs)
    shape = [
        Column("blocks", lambda run: f"{run.config.num_blocks:,}"),
        Column("block\nsize", lambda run: f"{run.config.block_size:,}"),
    ]
    of_all = [_number("hit rate\nof all", lambda r: f"{r.hit_rate_of_all:.6f}")]
    gap = [Column("gap\nclosed", lambda run: _share(closed[run.policy, run.config]))]
    host = [
        _number("from\nthe host", lambda r: f"{r.host_hit_tokens:,}", spare=5),
        _number("dropped\nblocks", lambda r: f"{r.dropped_blocks:,}", spare=4),
    ]
    return [
        Column("policy", lambda run: _name(run.policy)),
        *(shape if several else []),
        _number("rejected\nrequests", lambda r: f"{r.rejected_requests:,}"),
        _number("prompt\ntokens", lambda r: f"{r.prompt_tokens:,}", spare=1),
        _number("hit\ntokens", lambda r: f"{r.hit_tokens:,}", spare=2),
        Column("token\nhit rate", _rate),
        *(of_all if any(run.result and run.result.rejected_requests for run in runs) else []),
        *(gap if closed else []),
        _number("evicted\nblocks", lambda r: f"{r.evicted_blocks:,}", spare=6),
        *(host if with_host else []),
        _number("CPU\nµs/request", lambda r: f"{r.cpu_us_per_request:.1f}", spare=3),
    ]


def gaps_closed(runs: Sequence[PolicyRun]) -> dict[tuple[str, CacheConfig], float | None]:
    """Return the share of the way from LRU to Belady that each policy goes in each cache.

    It is empty unless both ran, and None where there is no share: the policy failed, or Belady
    finds no more than LRU in that cache.
    """
    if not {START, END} <= {run.policy for run in runs}:
        return {}
    rates = {(run.policy, run.config): run.result.token_hit_rate for run in runs if run.result}
    shares: dict[tuple[str, CacheConfig], float | None] = {}
    for run in runs:
        rate = rates.get((run.policy, run.config))
        start, end = rates.get((START, run.config)), rates.get((END, run.config))
        share = None
        if rate is not None and start is not None and end is not None and end > start:
            share = (rate - start) / (end - start)
        shares[run.policy, run.config] = share
    return shares


def _number(header: str, number: Callable[[ReplayResult], str], spare: int = 0) -> Column:
    """Make a column of numbers; a run that failed has none."""
    return Column(header, lambda run: number(run.result) if run.result else NOTHING, spare)


def _rate(run: PolicyRun) -> str:
    if run.result is None:
        return "failed"
    return f"{run.result.token_hit_rate:.6f}" if run.result.requests else NOTHING


def _share(share: float | None) -> str:
    return NOTHING if share is None else f"{share:.0%}"


def _name(policy: str) -> str:
    return policy if len(policy) <= MAX_NAME else "…" + policy[1 - MAX_NAME :]
