"""Random lives of a cache, one call after the other, for the tests of its listeners."""

from collections.abc import Iterator

import numpy as np

from radixlab.cache import CacheError, KVCacheManager
from radixlab.cache.quarantine import quarantine
from radixlab.cache.restart import restart
from radixlab.config import CacheConfig

NUM_HOST_BLOCKS = 3
NAMESPACES = (None, None, ("salt", "x"), ("adapter", "x"))


def small_cache(emit=None, **config) -> KVCacheManager:
    config = {"num_host_blocks": NUM_HOST_BLOCKS} | config
    return KVCacheManager(CacheConfig(num_blocks=16, block_size=2, **config), emit)


def live(manager: KVCacheManager, seed: int, num_steps: int = 60) -> Iterator[str]:
    """Do one random call at a time, some of which fail; yield its name after each."""
    random, pending = np.random.default_rng(seed), []
    for _ in range(num_steps):
        running = list(manager.sequences.values())
        call = str(
            random.choice([*CALLS, "allocate", "commit", "commit"] if running else ["allocate"])
        )
        sequence = running[int(random.integers(len(running)))] if running else None
        try:
            CALLS[call](manager, sequence, random, pending)
        except CacheError:
            call += " failed"
        yield call


def _allocate(manager, sequence, random, pending):
    prompt = random.integers(1, 3, random.integers(1, 11))
    namespace, reserve = NAMESPACES[random.integers(4)], int(random.integers(0, 3))
    pending += manager.allocate(prompt, namespace, reserve).copies


def _append(manager, sequence, random, pending):
    pending += manager.append(sequence, random.integers(1, 4, random.integers(0, 4)))


def _commit(manager, sequence, random, pending):
    _arrive(manager, pending)
    manager.commit(sequence, sequence.num_tokens)


def _fork(manager, sequence, random, pending):
    manager.fork(sequence, int(random.integers(1, sequence.num_tokens + 1)))


def _prepare(manager, sequence, random, pending):
    start = int(random.integers(0, sequence.num_tokens))
    pending += manager.prepare_write(sequence, start, sequence.num_tokens)


def _complete(manager, sequence, random, pending):
    num = int(random.integers(0, len(pending) + 1))
    manager.complete(pending[:num])
    del pending[:num]


def _finish(manager, sequence, random, pending):
    getattr(manager, str(random.choice(["release", "abort", "preempt"])))(sequence)


def _evict(manager, sequence, random, pending):
    num_pending = len(manager.transfers)
    manager.evict(int(random.integers(0, 5)))
    pending += manager.transfers[num_pending:]


def _reset(manager, sequence, random, pending):
    if random.random() < 0.3:  # what a patient operator does first
        for running in list(manager.sequences.values()):
            manager.abort(running)
        _arrive(manager, pending)
    manager.reset()


def _quarantine(manager, sequence, random, pending):
    quarantine(manager, random.integers(0, 16, 2).tolist())


def _restart(manager, sequence, random, pending):
    if random.random() < 0.1:
        restart(manager)
        pending.clear()


def _arrive(manager, pending):
    manager.complete(pending)
    pending.clear()


CALLS = {
    "allocate": _allocate,
    "append": _append,
    "commit": _commit,
    "fork": _fork,
    "prepare_write": _prepare,
    "complete": _complete,
    "finish": _finish,
    "evict": _evict,
    "reset": _reset,
    "quarantine": _quarantine,
    "restart": _restart,
}
