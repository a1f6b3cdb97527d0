"""Run rules through the wind tunnel, several at a time in processes of their own.

A rule's run needs nothing of the others, so each process makes the traffic again from its seed.
"""

import os
import queue
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from multiprocessing import get_context
from typing import Any

from radixlab.bench.measure import quiet_gc
from radixlab.choices import not_one_of
from radixlab.route.errors import RouteError
from radixlab.route.rules import RULES
from radixlab.route.wind import Outcome, ReplicaModel, Traffic, blow, make_traffic
from radixlab.workloads import conversation_trace

CLOCKLESS_LOAD = 0.5
"""For traffic without times: the prompt tokens that arrive ÷ those that can be computed."""
WORTH_A_PROCESS = 200_000
"""With fewer requests, all rules together, one process is as fast as two."""
POLL_S = 0.2
Progress = Callable[[int, str, str], AbstractContextManager[Callable[..., object]]]


@dataclass(frozen=True, slots=True)
class Trial:
    """Which traffic is sent, and to which replicas."""

    traffic: str
    num_requests: int
    num_replicas: int
    model: ReplicaModel
    load: float | None = None
    """Prompt tokens that arrive ÷ those that can be computed; None for the traffic's own times."""
    seed: int = 0

    def make(self) -> Traffic:
        """Make the traffic, at its pace."""
        traffic = make_traffic(self.traffic, self.num_requests, self.seed)
        load = CLOCKLESS_LOAD if self.load is None and not traffic.has_clock else self.load
        if load is None:
            return traffic
        return traffic.at_load(load, self.num_replicas, self.model.prefill_tokens_per_s)


def run_trial(
    trial: Trial, rules: Sequence[str], num_jobs: int | None, progress: Progress
) -> dict[str, Outcome]:
    """Run every rule; after Ctrl-C, return those that are done."""
    total = trial.num_requests * len(rules)
    if num_jobs is None:
        num_jobs = 2 if total >= WORTH_A_PROCESS else 1
    with progress(total, trial.traffic, "request") as advance:
        done: dict[str, Outcome] = {}
        runs = _in_turn if num_jobs == 1 or len(rules) == 1 else _side_by_side
        try:
            for outcome in runs(trial, rules, num_jobs, advance):
                done[outcome.rule] = outcome
        except KeyboardInterrupt:
            if not done:
                raise
    return {rule: done[rule] for rule in rules if rule in done}


def _in_turn(
    trial: Trial, rules: Sequence[str], num_jobs: int, advance: Callable[..., object]
) -> Iterator[Outcome]:
    traffic = trial.make()
    for rule in rules:
        yield _run(trial, traffic, rule, advance)


def _run(trial: Trial, traffic: Traffic, rule: str, advance: Callable[..., object]) -> Outcome:
    make_rule = RULES[rule]
    start = time.process_time()
    with quiet_gc():  # nothing here is in a cycle, and a collection would look at millions of nodes
        outcome = blow(
            traffic,
            lambda fleet: make_rule(fleet, trial.seed, traffic.block_size),
            trial.num_replicas,
            trial.model,
            rule,
            advance,
        )
    cpu_s = time.process_time() - start
    return replace(outcome, cpu_s=cpu_s, process=os.getpid(), peak_gb=_peak_gb())


def _peak_gb() -> float:
    try:
        import resource
    except ImportError:  # Windows
        return 0.0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1e9 if sys.platform == "darwin" else 1e6)


def _side_by_side(
    trial: Trial, rules: Sequence[str], num_jobs: int, advance: Callable[..., object]
) -> Iterator[Outcome]:
    """Run rules in processes, the slowest first, so that none of them is alone at the end."""
    context = get_context("spawn")
    counts: Any = context.Queue()
    pool = ProcessPoolExecutor(num_jobs, context, initializer=_begin, initargs=(counts,))
    try:
        waiting = {pool.submit(_run_alone, trial, rule) for rule in sorted(rules, key=_dearness)}
        while waiting:
            finished, waiting = wait(waiting, POLL_S, FIRST_COMPLETED)
            _drain(counts, advance)
            yield from (future.result() for future in finished)
    finally:
        processes = list((pool._processes or {}).values())
        pool.shutdown(wait=False, cancel_futures=True)
        for process in processes:
            process.terminate()


_DEAR = ("dynamo", "ours-events", "ray-affinity", "ours-prompts", "cache-aware")


def _dearness(rule: str) -> int:
    return _DEAR.index(rule) if rule in _DEAR else len(_DEAR)


_counts: Any = None
"""In a process of its own: where it counts its requests."""


def _begin(counts: Any) -> None:
    global _counts
    _counts = counts


def _run_alone(trial: Trial, rule: str) -> Outcome:
    return _run(trial, trial.make(), rule, _counts.put)


def _drain(counts: Any, advance: Callable[..., object]) -> None:
    while True:
        try:
            advance(counts.get_nowait())
        except queue.Empty:
            return


CONTROLS = ("nothing-shared", "one-hot-prefix")
CONTROL_REQUESTS_PER_REPLICA = 250
MOST_CONTROL_REPLICAS = 16


def control_of(trial: Trial, name: str) -> Trial:
    """Return a control beside a trial: the same replicas, but at most 16, and less traffic."""
    num_replicas = min(trial.num_replicas, MOST_CONTROL_REPLICAS)
    num_requests = min(trial.num_requests, CONTROL_REQUESTS_PER_REPLICA * num_replicas)
    return replace(trial, traffic=name, num_replicas=num_replicas, num_requests=num_requests)


def default_traffic() -> str:
    """Return the production trace if it is here, else a generator."""
    return "conversation" if conversation_trace() else "multi-turn-chat"


def check_rules(names: str) -> list[str]:
    """Return the rules in a list with commas; raise `RouteError` for one that is not known."""
    rules = [name.strip() for name in names.split(",")]
    for name in rules:
        if name not in RULES:
            raise RouteError(f"rule {not_one_of(name, RULES)}")
    if len(set(rules)) < len(rules):
        raise RouteError(f"a rule is named twice in {names!r}")
    return rules
