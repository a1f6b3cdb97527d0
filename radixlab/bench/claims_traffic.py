"""The traffic on which claims are tried: workloads, shapes that break a claim, and unshared twins.

This file draws tokens from seeds. It knows no cache.
"""

import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from radixlab.config import CacheConfig
from radixlab.workloads import Request
from radixlab.workloads.request import TokenArray, frozen

MOST_TOKEN = np.iinfo(np.int32).max
IN_FLIGHT = 16
"""Requests that run at the same time."""
BLOCK_SIZE = 16


@dataclass(frozen=True, slots=True)
class Shape:
    """Questions about a few prefixes, one prefix after another in turn."""

    num_prefixes: int = 4
    per_prefix: int = 32
    shared: int = 1024
    """Tokens of each prefix."""
    own: int = 128
    """Prompt tokens that no other request has."""
    answer: int = 64

    def requests(self, vocab_size: int = MOST_TOKEN, seed: int = 0) -> Iterator[Request]:
        """Yield the requests; the same seed gives the same tokens."""
        random = np.random.default_rng(seed)
        prefixes = [_draw(random, self.shared, vocab_size) for _ in range(self.num_prefixes)]
        for prefix in itertools.islice(itertools.cycle(prefixes), self.num_requests):
            prompt = np.concatenate((prefix, _draw(random, self.own, vocab_size)))
            yield Request(frozen(prompt), _draw(random, self.answer, vocab_size))

    @property
    def num_requests(self) -> int:
        """The number of requests about all prefixes together."""
        return self.num_prefixes * self.per_prefix


@dataclass(frozen=True, slots=True)
class Setting:
    """Traffic of one shape, and the cache that serves it."""

    shape: Shape = Shape()
    num_blocks: int | None = None
    """None for a pool that never has to evict."""
    block_size: int = BLOCK_SIZE
    in_flight: int = IN_FLIGHT

    @property
    def cache(self) -> CacheConfig:
        """The configuration of the cache."""
        shape = self.shape
        each = -(-(shape.shared + shape.own + shape.answer) // self.block_size)
        return CacheConfig(self.num_blocks or shape.num_requests * each, self.block_size)


BASE = Setting()
"""Traffic that shares much: each condition starts here and changes one thing."""


def _with(**changes: int) -> Setting:
    return replace(BASE, shape=replace(BASE.shape, **changes))


def _asked(per_prefix: int) -> Setting:
    """Keep the number of requests: fewer questions to a prefix are more prefixes."""
    return _with(num_prefixes=BASE.shape.num_requests // per_prefix, per_prefix=per_prefix)


CONDITIONS: Mapping[str, Mapping[int, Setting]] = {
    "tokens shared, beside 128 own": {
        shared: _with(shared=shared) for shared in (0, 64, 128, 256, 512, 1024)
    },
    "tokens in a block, 1,024 shared": {
        size: replace(BASE, block_size=size) for size in (16, 64, 256, 512, 1024, 2048)
    },
    "blocks in the pool": {
        blocks: replace(BASE, num_blocks=blocks) for blocks in (80, 160, 240, 320, 480, 640)
    },
    "tokens of answer": {answer: _with(answer=answer) for answer in (1, 64, 256, 512, 1024, 4096)},
    "requests about each prefix": {number: _asked(number) for number in (1, 2, 4, 8, 16, 32)},
    "requests running at a time": {
        number: replace(BASE, in_flight=number) for number in (1, 2, 4, 8, 16, 32)
    },
}
"""What breaks a claim: short prefixes, prefixes below a block, thrash, answers that decoding
dominates, prefixes that nobody asks about again, and requests that run alone."""

LENGTHS = (16, 64, 256, 1024, 4096)
"""Prompt tokens of the requests on which the overhead is measured."""


def unshared(requests: Iterable[Request], seed: int = 0) -> Iterator[Request]:
    """Yield requests of the same lengths whose tokens are all drawn afresh: they share nothing."""
    random = np.random.default_rng(seed)
    for request in requests:
        prompt = _draw(random, len(request.prompt), MOST_TOKEN)
        output = _draw(random, len(request.output), MOST_TOKEN)
        yield Request(prompt, output)


def alone(num_tokens: int, num_requests: int, seed: int = 0) -> Iterator[Request]:
    """Yield prompts of one length, without answers, that share nothing."""
    random = np.random.default_rng(seed)
    for _ in range(num_requests):
        yield Request(_draw(random, num_tokens, MOST_TOKEN), _draw(random, 0, MOST_TOKEN))


def _draw(random: np.random.Generator, num_tokens: int, vocab_size: int) -> TokenArray:
    return frozen(random.integers(vocab_size, size=num_tokens, dtype=np.int32))
