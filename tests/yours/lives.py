"""Random lives of an `OwnManager`: requests, forks, growth, evictions, pins, with every proof."""

from contextlib import suppress

import numpy as np

from radixlab.cache import CacheConfig, CacheError, KVCanary, PinError
from radixlab.cache.errors import InvariantError
from radixlab.guarded_call import Watch
from radixlab.yours.manager import OwnManager

NUM_BLOCKS = 24
SIZES = (2, 4, 1, 8)
LIMIT_S = 0.5


def own(make_tree=None, policy=None, block_size=2, emit=None, pins=0):
    config = CacheConfig(NUM_BLOCKS, block_size, pin_budget_blocks=pins)
    return OwnManager(config, emit, policy, make_tree=make_tree, watch=Watch(LIMIT_S))


def live(manager, seed, num_operations=60):
    """Do random things, checking all there is to check after each, up to the first fault.

    Every read goes through the canary, whoever looked the blocks up.
    """
    life = _Life(manager, np.random.default_rng(seed))
    for _ in range(num_operations):
        try:
            life.step()
        except InvariantError:
            raise
        except CacheError:  # the others hold too much
            pass
        manager.proof()
        if manager.fault:
            break
    return manager


class _Life:
    def __init__(self, manager, rng):
        self.manager, self.rng, self.running = manager, rng, []
        self.size = manager.config.block_size
        self.canary = KVCanary(NUM_BLOCKS, self.size)
        self.prefixes = [self.tokens(self.size * int(rng.integers(1, 7))) for _ in range(6)]

    def tokens(self, length):
        return self.rng.integers(0, 4, size=length).astype(np.int32)

    def step(self):
        draw, running = self.rng.random(), self.running
        if running and (len(running) >= 3 or draw < 0.4):
            self.end(running.pop(int(self.rng.integers(len(running)))))
        elif draw < 0.45:
            self.manager.evict(int(self.rng.integers(1, 6)))
        elif running and draw < 0.5:
            self.fork(running[0])
        elif running and draw < 0.65:
            self.grow(running[-1])
        elif self.manager.config.pin_budget_blocks and draw < 0.72:
            self.pin()
        else:
            self.begin()

    def begin(self):
        prefix = self.prefixes[int(self.rng.integers(6))]
        head = prefix[: int(self.rng.integers(1, len(prefix) + 1))]
        tail = self.tokens(int(self.rng.integers(1, 2 * self.size + 1)))
        sequence = self.manager.allocate(np.concatenate([head, tail]))
        self.canary.write(sequence)
        self.canary.read(sequence)
        self.running.append(sequence)
        if self.rng.random() < 0.4:
            self.manager.commit(sequence, sequence.num_tokens)

    def end(self, sequence):
        self.manager.commit(sequence, sequence.num_tokens)
        self.canary.read(sequence)
        leave = (self.manager.release, self.manager.preempt)[int(self.rng.random() < 0.2)]
        leave(sequence)

    def fork(self, parent):
        self.running.append(
            self.manager.fork(parent, int(self.rng.integers(1, parent.num_tokens + 1)))
        )

    def grow(self, sequence):
        start = sequence.num_tokens
        copies = self.manager.append(sequence, self.tokens(3))
        self.canary.run(copies)
        self.manager.complete(copies)
        self.canary.write(sequence, start)

    def pin(self):
        prefix = self.prefixes[int(self.rng.integers(6))]
        with suppress(PinError):
            self.manager.pin(prefix, int(self.rng.integers(1, 9)))
