"""A queue before the cache, for lesson 07: who goes next, and what that finds.

One request runs at a time, so what an order is worth shows in hit tokens alone.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from radixlab.cache import CacheConfig, KVCacheManager, Tokens, match_batch
from radixlab.sched import Waiting
from radixlab.sched.order import Order

Prompt = npt.NDArray[np.int32]


def questions(num_documents: int, per_document: int, tokens: int = 640) -> list[Prompt]:
    """Make prompts of `tokens` shared and 16 own tokens each, in random order."""
    random = np.random.default_rng(0)
    documents = random.integers(1_000, size=(num_documents, tokens))
    prompts = [
        np.append(document, random.integers(1_000, size=16)).astype(np.int32)
        for document in documents
        for _ in range(per_document)
    ]
    return [prompts[i] for i in random.permutation(len(prompts))]


def hit_tokens(order: Order, prompts: Sequence[Prompt], num_blocks: int) -> int:
    """Serve all prompts, each time the one that `order` puts first; count what was found."""
    manager = KVCacheManager(CacheConfig(num_blocks))
    waiting = dict(enumerate(prompts))
    while waiting:
        first = order(look_up(manager, waiting))[0]
        serve(manager, waiting.pop(first.arrival))
    return manager.hit_tokens


def passes_of_a_cold_request(order: Order, max_rounds: int = 200) -> int | None:
    """Let two hot requests come for each one served; count how often a cold one is passed.

    None if it is never served in `max_rounds`.
    """
    manager, random = KVCacheManager(CacheConfig(400)), np.random.default_rng(0)
    hot = random.integers(1_000, size=640)
    serve(manager, hot.astype(np.int32))
    waiting = {0: random.integers(1_000, 2_000, size=640).astype(np.int32)}
    for passes in range(max_rounds):
        for new in (2 * passes + 1, 2 * passes + 2):
            waiting[new] = np.append(hot, random.integers(1_000, size=16)).astype(np.int32)
        entries = [
            replace(entry, num_passes=passes if entry.arrival == 0 else 0)
            for entry in look_up(manager, waiting)
        ]
        first = order(entries)[0]
        serve(manager, waiting.pop(first.arrival))
        if first.arrival == 0:
            return passes
    return None


def look_up(manager: KVCacheManager, waiting: dict[int, Prompt]) -> list[Waiting]:
    """Ask for all of them at once what is cached."""
    found = match_batch(manager.tree, [Tokens(prompt) for prompt in waiting.values()], None, 1)
    block_size = manager.config.block_size
    return [
        Waiting(arrival, place.num_blocks * block_size, place.child or place.node)
        for arrival, place in zip(waiting, found, strict=True)
    ]


def serve(manager: KVCacheManager, prompt: Prompt) -> None:
    """Take one request through its life."""
    sequence = manager.allocate(prompt)
    manager.commit(sequence, len(prompt))
    manager.release(sequence)


class CountingTree:
    """Counts the walks down a tree while it is in use: `with CountingTree(tree) as count: …`."""

    def __init__(self, tree: object) -> None:
        self._tree = tree
        self.num_walks = 0

    def __enter__(self) -> "CountingTree":
        find: Callable[..., object] = self._tree.find  # type: ignore[attr-defined]

        def counted(*args: object) -> object:
            self.num_walks += 1
            return find(*args)

        self._tree.find = counted  # type: ignore[attr-defined]
        return self

    def __exit__(self, *_: object) -> None:
        del self._tree.find  # type: ignore[attr-defined]
