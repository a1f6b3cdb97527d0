"""Who runs in a replay, and one run of it: a policy in a cache of some shape.

It knows the engine's policies by name and a learner's by file. A learner's policy may fail; then
the run says how, and the runs of the others stay what they are.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from radixlab.bench.own_policy import OwnPolicy, OwnPolicyError, output_to_stderr
from radixlab.cache import KVCacheManager
from radixlab.config import CacheConfig
from radixlab.workloads import Manager, ReplayResult, Workload, make_manager, replay


@dataclass(frozen=True, slots=True)
class PolicyRun:
    """One policy's replay: its result, or how it failed."""

    policy: str
    config: CacheConfig
    result: ReplayResult | None
    fault: str = ""
    """Why there is no result; empty if there is one."""
    num_finished: int = 0
    """Requests of a failed run that were finished before."""


@dataclass(frozen=True, slots=True)
class Entrant:
    """A policy of the engine's by its name, or one of a learner's file."""

    name: str
    own: OwnPolicy | None = None

    def manager(self, config: CacheConfig, workload: Workload) -> Manager:
        """Make a new cache under this policy."""
        if self.own is None:
            return make_manager(self.name, config, workload.requests)
        return self.own.manager(config)

    def run(
        self,
        config: CacheConfig,
        workload: Workload,
        progress: Callable[[], object],
        begin: Callable[[Manager], object] = lambda manager: None,
    ) -> tuple[PolicyRun, Manager | None]:
        """Replay the workload; return what was found, and the cache unless the policy failed.

        `begin` is called with the new cache, before the first request.
        """
        if self.own is None:
            manager = self.manager(config, workload)
            begin(manager)
            result = replay(manager, workload.requests(), progress)
            return PolicyRun(self.name, config, result), manager
        return self._run_guarded(self.own, config, workload, progress, begin)

    def _run_guarded(
        self,
        own: OwnPolicy,
        config: CacheConfig,
        workload: Workload,
        progress: Callable[[], object],
        begin: Callable[[Manager], object],
    ) -> tuple[PolicyRun, KVCacheManager | None]:
        num_finished = 0

        def advance() -> None:
            nonlocal num_finished
            num_finished += 1
            progress()

        try:
            manager = own.manager(config)
            begin(manager)
            with output_to_stderr():
                result = replay(manager, workload.requests(), advance)
                own.finish(manager)
        except KeyboardInterrupt:
            raise
        except OwnPolicyError as error:
            return PolicyRun(self.name, config, None, str(error)), None
        except BaseException as error:  # the learner's `sys.exit()` too: the others' runs stay
            fault = own.describe(error)
            return PolicyRun(self.name, config, None, fault, num_finished), None
        return PolicyRun(self.name, config, result), manager


def named(policies: Sequence[str | OwnPolicy]) -> list[Entrant]:
    """Give each policy the name that stands in tables: a learner's file without its folders.

    Files of one name keep their folders.
    """
    short = [one.short for one in policies if isinstance(one, OwnPolicy)]
    return [
        Entrant(one)
        if isinstance(one, str)
        else Entrant(one.short if short.count(one.short) == 1 else str(one), one)
        for one in policies
    ]


def faults(runs: Iterable[PolicyRun], num_requests: int) -> Iterator[str]:
    """Yield one line for each policy that failed: how it did the first time, and how often."""
    failed = [run for run in runs if run.result is None]
    for name in dict.fromkeys(run.policy for run in failed):
        first, *others = (run for run in failed if run.policy == name)
        also = f" (and in {len(others)} other run{'s' * (len(others) > 1)})" if others else ""
        number = first.num_finished + 1
        where = f"at request {number:,} of {num_requests:,}"
        if number > num_requests:
            where = "after the last request"
        yield f"{name} failed {where}: {first.fault}{also}"
