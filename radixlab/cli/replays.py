"""The runs behind `radixlab replay`: every policy in every cache, and what is shown of them.

A policy of the learner's own may fail, and a run may be interrupted: what was found until then is
shown all the same.
"""

import shutil
from collections.abc import Iterable, Sequence

import click

from radixlab.bench.replay_report import WIDTH, ReplayReport
from radixlab.bench.replay_runs import Entrant, PolicyRun, faults
from radixlab.cache import KVCacheManager
from radixlab.cli.shared import progress
from radixlab.config import CacheConfig
from radixlab.workloads import Workload
from radixlab.workloads.replay import fits


class Replays:
    """The runs of one workload so far, and how they are shown."""

    def __init__(self, workload: Workload, field: Sequence[Entrant], main: CacheConfig) -> None:
        self.workload, self.field, self.main = workload, field, main
        self.runs: list[PolicyRun] = []
        self.trees: list[KVCacheManager] = []
        """The final cache of the first policy that has one, or nothing."""

    @property
    def has_failed(self) -> bool:
        """Whether a policy of the learner's own failed."""
        return any(run.result is None for run in self.runs)

    def run(self, table: Iterable[CacheConfig]) -> None:
        """Run every policy in every cache."""
        table = list(table)
        for config in table:
            for entrant in self.field:
                self._run(entrant, config, is_one_of_many=len(table) > 1)

    def show(self, is_json: bool, *, is_complete: bool = True) -> None:
        """Print the table or the JSON object, if anything was run, and how policies failed."""
        if not self.runs:
            return
        report = ReplayReport(self.workload, self.main, self.runs, is_complete)
        for note in report.notes() if is_json else ():
            click.echo(note, err=True)
        width = max(WIDTH, shutil.get_terminal_size((WIDTH, 24)).columns)
        click.echo(report.as_json() if is_json else report.text(width))
        for fault in faults(self.runs, self.workload.num_requests):
            click.echo(f"error: {fault}", err=True)

    def sweep(self, others: Iterable[CacheConfig]) -> dict[str, list[tuple[int, float]]]:
        """Return `(blocks, token hit rate)` of each policy in pools that hold the same requests."""
        num_fit = self._num_fit(self.main)
        alike: set[CacheConfig] = {self.main}
        for config in others:
            if self._num_fit(config) == num_fit:
                alike.add(config)
            else:
                size = f"{config.num_blocks:,} blocks"
                click.echo(f"note: {size} hold other requests than the run: not drawn", err=True)
        done = {run.config for run in self.runs}
        shown = len(self.runs)
        self.run(
            config for config in sorted(alike, key=lambda c: c.num_blocks) if config not in done
        )
        rates: dict[str, list[tuple[int, float]]] = {}
        for run in self.runs:
            if run.result and run.config in alike:
                pair = (run.config.num_blocks, run.result.token_hit_rate)
                rates.setdefault(run.policy, []).append(pair)
        for fault in faults(self.runs[shown:], self.workload.num_requests):
            click.echo(f"error: {fault}", err=True)
        return rates

    def _num_fit(self, config: CacheConfig) -> int:
        return sum(fits(config, request) for request in self.workload.requests())

    def _run(self, entrant: Entrant, config: CacheConfig, *, is_one_of_many: bool) -> None:
        where = f", {config.num_blocks:,} blocks of {config.block_size}"
        what = entrant.name + (where if is_one_of_many else "")
        with progress(self.workload.num_requests, what, "request") as advance:
            run, manager = entrant.run(config, self.workload, advance)
        self.runs.append(run)
        if config == self.main and isinstance(manager, KVCacheManager) and not self.trees:
            self.trees.append(manager)
