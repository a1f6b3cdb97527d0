"""The report of `radixlab replay`: runs of one workload side by side, in a table or as JSON.

It knows finished runs. A table is as wide as a terminal: columns that can be spared are left out,
and a line below says which.
"""

import json
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from radixlab.bench.replay_columns import Column, columns, gaps_closed
from radixlab.bench.replay_runs import PolicyRun
from radixlab.bench.report import count, text_table
from radixlab.config import CacheConfig
from radixlab.workloads import ReplayResult, Workload

WIDTH = 80
"""Characters in a line of a terminal, where nobody knows better."""


@dataclass(frozen=True, slots=True)
class ReplayReport:
    """Runs of one workload: policies in one cache, or in caches of several shapes."""

    workload: Workload
    config: CacheConfig
    """The cache that was asked for; others may have been run beside it."""
    runs: Sequence[PolicyRun]
    is_complete: bool = True
    """False after Ctrl-C."""

    @property
    def configs(self) -> list[CacheConfig]:
        """The shapes of all caches that were run."""
        return list(dict.fromkeys(run.config for run in self.runs))

    def text(self, width: int = WIDTH) -> str:
        """Format a table for a terminal, and what its reader must know below it."""
        shown, spared = _fitting(columns(self.runs), self.runs, width)
        parts = [self._head(), _table(shown, self.runs)]
        remarks = [*self.notes(), *self._legend(), *self._spared(spared, width)]
        if remarks:
            parts.append("\n".join(textwrap.fill(remark, width) for remark in remarks))
        return "\n\n".join(parts)

    def as_json(self) -> str:
        """Format one JSON object, one line."""
        first, several = self.config, len(self.configs) > 1
        host = {"num_host_blocks": n} if (n := first.num_host_blocks) else {}
        failed = [_failure(run, with_shape=several) for run in self.runs if run.result is None]
        return json.dumps(
            {
                "trace": self.workload.name,
                "requests": self.workload.num_requests,
                "contradictions": self.workload.num_contradictions,
                "num_blocks": first.num_blocks,
                "block_size": first.block_size,
                **host,
                "runs": [*self._results(with_shape=several)],
                **({"failed": failed} if failed else {}),
                **({} if self.is_complete else {"interrupted": True}),
            }
        )

    def notes(self) -> Iterator[str]:
        """Yield a sentence for each reason to read the numbers with care."""
        yield from self._of_rejected()
        with_host = any(config.num_host_blocks for config in self.configs)
        if with_host and any(run.policy == "belady" for run in self.runs):
            yield "note: with a host tier belady is not a bound: it is optimal for the device alone"

    def _legend(self) -> Iterator[str]:
        if gaps_closed(self.runs):
            share = "(policy - lru) / (belady - lru) of the hit rates"
            yield f"gap closed: {share}; a dash where belady is not above lru"
        if own := next((run.policy for run in self.runs if ":" in run.policy and run.result), None):
            yield f"CPU time of {own}: includes the check of each victim"

    def _head(self) -> str:
        of, configs = self.workload, self.configs
        shape = pools(configs[0]) if len(configs) == 1 else count(len(configs), "cache")
        lines = [f"{of.num_requests:,} requests of {of.name}, {shape}"]
        if of.num_contradictions:
            lines.append(f"contradictions in the trace: {of.num_contradictions:,} lines")
        return "\n".join(lines)

    def _of_rejected(self) -> Iterator[str]:
        of = {run.config: run.result.rejected_requests for run in self.runs if run.result}
        if not any(of.values()):
            return
        who = "requests that can never fit in a pool are"
        if len(of) == 1:
            ((config, rejected),) = of.items()
            who = f"{count(rejected, 'request')} can never fit in {pools(config)}:"
        counts = "rejected and not counted in prompt tokens, hit tokens and token hit rate"
        yield f"note: {who} {counts}; the hit rate of all counts their prompts as misses"

    def _spared(self, spared: list[Column], width: int) -> Iterator[str]:
        if spared:
            names = ", ".join(column.name for column in spared)
            yield f"left out to fit {width} characters: {names} (--json has all)"

    def _results(self, *, with_shape: bool) -> Iterator[dict[str, object]]:
        closed = gaps_closed(self.runs)
        for run in self.runs:
            if run.result:
                shape = _shape(run.config) if with_shape else {}
                gap = {"gap_closed": _rounded(closed[run.policy, run.config])} if closed else {}
                yield {"policy": run.policy, **shape, **_fields(run.result, run.config), **gap}


def pools(config: CacheConfig) -> str:
    """Name the pool, and the host's if there is one."""
    device = f"{config.num_blocks:,} blocks of {config.block_size} tokens"
    return device + (f" and {n:,} on the host" if (n := config.num_host_blocks) else "")


def _table(shown: list[Column], runs: Sequence[PolicyRun]) -> str:
    return text_table([c.header for c in shown], [[c.cell(run) for c in shown] for run in runs])


def _fitting(
    every: list[Column], runs: Sequence[PolicyRun], width: int
) -> tuple[list[Column], list[Column]]:
    """Return the columns that fit, and those that were left out for it."""
    shown, spared = every, []
    for column in sorted((c for c in every if c.spare), key=lambda c: c.spare):
        if max(map(len, _table(shown, runs).splitlines())) <= width:
            break
        spared.append(column)
        shown = [c for c in every if c not in spared]
    return shown, [c for c in every if c in spared]


def _shape(config: CacheConfig) -> dict[str, object]:
    host = {"num_host_blocks": n} if (n := config.num_host_blocks) else {}
    return {"num_blocks": config.num_blocks, "block_size": config.block_size, **host}


def _failure(run: PolicyRun, *, with_shape: bool) -> dict[str, object]:
    shape = _shape(run.config) if with_shape else {}
    done = {"finished_requests": run.num_finished, "error": run.fault}
    return {"policy": run.policy, **shape, **done}


def _fields(r: ReplayResult, config: CacheConfig) -> dict[str, object]:
    host = {"host_hit_tokens": r.host_hit_tokens, "dropped_blocks": r.dropped_blocks}
    return {
        "rejected_requests": r.rejected_requests,
        "rejected_prompt_tokens": r.rejected_prompt_tokens,
        "prompt_tokens": r.prompt_tokens,
        "hit_tokens": r.hit_tokens,
        "token_hit_rate": r.token_hit_rate if r.requests else None,
        "hit_rate_of_all": r.hit_rate_of_all,
        "evicted_blocks": r.evicted_blocks,
        **(host if config.num_host_blocks else {}),
        "cpu_us_per_request": round(r.cpu_us_per_request, 3),
    }


def _rounded(share: float | None) -> float | None:
    return None if share is None else round(share, 6)
