"""A queue in front of the cache, for lesson 07: the order of requests, and their hits.

One request runs at a time, so the value of an order shows in hit tokens alone.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
import numpy.typing as npt

from radixlab.cache import CacheConfig, KVCacheManager, Tokens, match_batch
from radixlab.sched import Waiting
from radixlab.sched.order import Order

Prompt = npt.NDArray[np.int32]
OWN_TOKENS = 16
"""Tokens of each prompt that no other prompt shares."""


def questions(num_documents: int, per_document: int, tokens: int = 640) -> list[Prompt]:
    """Make prompts in random order, each of a document of `tokens` tokens and 16 own tokens."""
    random = np.random.default_rng(0)
    documents = random.integers(1_000, size=(num_documents, tokens))
    prompts = [_prompt(document, random) for document in documents for _ in range(per_document)]
    return [prompts[i] for i in random.permutation(len(prompts))]


def uneven_questions(lengths: Sequence[int], num_requests: int) -> list[Prompt]:
    """Make prompts about documents of these lengths; the first document is the most popular.

    Document n is asked about with a probability proportional to 1/n (Zipf's law).
    """
    random = np.random.default_rng(0)
    documents = [random.integers(1_000, size=length) for length in lengths]
    weights = 1 / np.arange(1, len(lengths) + 1)
    drawn = random.choice(len(lengths), size=num_requests, p=weights / weights.sum())
    return [_prompt(documents[index], random) for index in drawn]


def _prompt(document: npt.NDArray[np.int64], random: np.random.Generator) -> Prompt:
    return np.append(document, random.integers(1_000, size=OWN_TOKENS)).astype(np.int32)


@dataclass(frozen=True, slots=True)
class Served:
    """The result of serving all prompts in some order."""

    hit_tokens: int
    prompt_tokens: int
    most_passes: int
    """The most passes that one request suffered from later requests."""
    num_shorter: int
    """How often the served request had fewer cached tokens than a waiting one."""

    @property
    def share(self) -> float:
        """Hit tokens as a share of all prompt tokens."""
        return self.hit_tokens / self.prompt_tokens


def serve_all(
    order: Order, prompts: Sequence[Prompt], num_blocks: int, num_waiting: int | None = None
) -> Served:
    """Serve all prompts, always the one that `order` puts first.

    All prompts wait from the beginning. With `num_waiting`, only that many wait at once, and the
    next one arrives when one is served. Passes are counted as the scheduler counts them: a waiting
    request is passed when a request that came later is served.
    """
    manager = KVCacheManager(CacheConfig(num_blocks))
    coming = iter(enumerate(prompts))
    passes = [0] * len(prompts)
    waiting = dict(islice(coming, num_waiting or len(prompts)))
    num_shorter = 0
    while waiting:
        found = look_up(manager, waiting, passes)
        first = order(found)[0]
        served = first.arrival
        num_shorter += first.num_cached_tokens < max(one.num_cached_tokens for one in found)
        serve(manager, waiting.pop(served))
        for arrival in waiting:
            passes[arrival] += arrival < served
        waiting.update(islice(coming, 1))
    return Served(manager.counts.hit_tokens, sum(map(len, prompts)), max(passes), num_shorter)


def passes_of_a_cold_request(order: Order, max_rounds: int = 200) -> int | None:
    """Add two hot requests for each one served; count how often a cold request is passed.

    Returns None if the cold request is not served within `max_rounds`.
    """
    manager, random = KVCacheManager(CacheConfig(400)), np.random.default_rng(0)
    hot = random.integers(1_000, size=640)
    serve(manager, hot.astype(np.int32))
    waiting = {0: random.integers(1_000, 2_000, size=640).astype(np.int32)}
    passes = [0] * (2 * max_rounds + 1)
    for num_passes in range(max_rounds):
        for new in (2 * num_passes + 1, 2 * num_passes + 2):
            waiting[new] = _prompt(hot, random)
        passes[0] = num_passes
        served = order(look_up(manager, waiting, passes))[0].arrival
        serve(manager, waiting.pop(served))
        if served == 0:
            return num_passes
    return None


def look_up(
    manager: KVCacheManager, waiting: dict[int, Prompt], passes: Sequence[int]
) -> list[Waiting]:
    """Look up in one batch how much of each waiting prompt is cached; `passes` is by arrival."""
    prompts = [Tokens(prompt) for prompt in waiting.values()]
    found = match_batch(manager.tree, prompts, None, 1)
    block_size = manager.config.block_size
    return [
        Waiting(arrival, one.num_blocks * block_size, one.child or one.node, passes[arrival])
        for arrival, one in zip(waiting, found, strict=True)
    ]


def serve(manager: KVCacheManager, prompt: Prompt) -> None:
    """Serve one request: allocate, commit and release."""
    sequence = manager.allocate(prompt)
    manager.commit(sequence, len(prompt))
    manager.release(sequence)


class CountingTree:
    """Counts the walks down a tree while it is in use: `with CountingTree(tree) as count: …`.

    A look-up that asks for no block only finds the root; it is not counted as a walk.
    """

    def __init__(self, tree: object) -> None:
        self._tree = tree
        self.num_walks = 0

    def __enter__(self) -> "CountingTree":
        find: Callable[..., object] = self._tree.find  # type: ignore[attr-defined]

        def counted(tokens: object, max_blocks: int, *others: object) -> object:
            self.num_walks += max_blocks > 0
            return find(tokens, max_blocks, *others)

        self._tree.find = counted  # type: ignore[attr-defined]
        return self

    def __exit__(self, *_: object) -> None:
        del self._tree.find  # type: ignore[attr-defined]
