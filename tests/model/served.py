"""A cache and a model under oath: whatever is computed over blocks is compared with a dense run."""

import numpy as np
import torch

from radixlab.cache import CacheConfig, KVCacheManager, check
from radixlab.cache.work import Work
from radixlab.model.runner import Runner, dense_logits

TOLERANCE = 1e-4


class Served:
    """A manager and a runner; every block is NaN until it is written.

    After each call the transfers that it ordered are run, and `check` finds nothing.
    """

    def __init__(self, model, num_blocks=32, block_size=4, **config):
        sizes = CacheConfig(num_blocks, block_size, **config)
        self.manager = KVCacheManager(sizes)
        self.runner = Runner(model, sizes)
        self.runner.store.data.fill_(torch.nan)
        self.runner.store.host.fill_(torch.nan)
        self.computed = {}
        """By sequence id: leading tokens whose KV is in the pool."""
        self.last = {}
        """By sequence id: the logits of the next token."""
        self.kinds = set()
        """What kinds of transfers have run."""
        self.tolerance = TOLERANCE
        self.worst = 0.0
        """The largest difference from a dense run so far."""

    def allocate(self, tokens, namespace=None):
        sequence = self.manager.allocate(tokens, namespace)
        self.computed[sequence.id] = sequence.hit_tokens
        self.settle()
        return sequence

    def fork(self, sequence, num_tokens=None):
        child = self.manager.fork(sequence, num_tokens)
        self.computed[child.id] = min(self.computed[sequence.id], child.num_tokens)
        self.settle()
        return child

    def append(self, sequence, tokens):
        self.manager.append(sequence, tokens)
        self.settle()

    def release(self, sequence):
        self.manager.release(sequence)
        self.settle()

    def compute(self, *sequences, ends=None, commit=True):
        """Run one step up to these ends, by default all that is missing; compare, and commit."""
        ends = ends or [sequence.num_tokens for sequence in sequences]
        work = [
            Work(sequence, self.computed[sequence.id], end)
            for sequence, end in zip(sequences, ends, strict=True)
        ]
        for item in work:
            self.manager.prepare_write(item.sequence, item.start, item.end)
        self.settle()
        logits = self.runner.forward(work)
        for item, last in zip(work, logits, strict=True):
            dense = dense_logits(self.runner.model, item.sequence.token_ids[: item.end].copy())
            difference = float((last - dense[-1]).abs().max())
            assert difference <= self.tolerance, f"{item} is {difference} off"
            self.worst = max(self.worst, difference)
            self.computed[item.sequence.id] = item.end
            self.last[item.sequence.id] = last
            if commit:
                self.manager.commit(item.sequence, item.end)
        self.settle()
        return logits

    def run(self, tokens, namespace=None):
        """Run a prompt from its admission to its end; return its sequence."""
        sequence = self.allocate(tokens, namespace)
        self.compute(sequence)
        self.release(sequence)
        return sequence

    def decode(self, sequence, num_tokens):
        """Continue greedily."""
        for _ in range(num_tokens):
            self.append(sequence, [int(self.last[sequence.id].argmax())])
            self.compute(sequence)

    def settle(self):
        """Run what was ordered, as an engine does before each forward pass."""
        transfers = self.manager.transfers
        self.kinds |= {transfer.kind for transfer in transfers}
        self.runner.transfer(transfers)
        self.manager.complete(transfers)
        check(self.manager)


def prompt(seed, num_tokens, vocab_size=61):
    """Draw a prompt."""
    return np.random.default_rng(seed).integers(vocab_size, size=num_tokens, dtype=np.int32)
