"""What a learner tries a policy with, in the notebook: the same host and the same engine."""

from collections.abc import Callable
from typing import Any

from radixlab.cache.protocols import EvictionPolicy
from radixlab.exercise.policy import PolicyHost
from radixlab.grade.ex4.oracle import optimum, under_lru
from radixlab.grade.ex4.play import Hosted, replay_under, serve_letters
from radixlab.grade.ex4.traffic import Trace


def in_engine(policy: Any) -> EvictionPolicy:
    """Return a learner's policy as the engine takes it: `KVCacheManager(config, policy=…)`."""
    return Hosted(PolicyHost(policy))


def evicted(policy: Any, prompts: list[str], num_blocks: int) -> list[str]:
    """Serve prompts one after the other in a small cache; return what was evicted, in order.

    Blocks hold 4 letters. Each victim is told by the letters from the top of the tree to its end.

    >>> from radixlab.grade.ex4.oracle import LeastRecent
    >>> evicted(LeastRecent(), ["aaaa-", "bbbb-", "aaaa-", "cccc-"], num_blocks=3)
    ['bbbb']
    """
    return serve_letters(PolicyHost(policy), (prompts, num_blocks))


def try_on(make_policy: Callable[[], Any], workload: str, num_blocks: int, seed: int) -> None:
    """Replay a trace as the grader does, and print how far the policy came.

    >>> from radixlab.grade.ex4.oracle import LeastRecent
    >>> try_on(LeastRecent, "scan-polluted", 1_500, seed=0)
    scan-polluted: hit rate 11.1%, LRU 11.1%, optimum 25.3%: 0.00 of the gap closed
    """
    trace = Trace(workload, num_blocks, seed)
    found = replay_under(in_engine(make_policy()), trace.config, trace.requests()).token_hit_rate
    lru, best = under_lru(trace).token_hit_rate, optimum(trace)
    print(
        f"{workload}: hit rate {found:.1%}, LRU {lru:.1%}, optimum {best:.1%}: "
        f"{(found - lru) / (best - lru):.2f} of the gap closed"
    )
