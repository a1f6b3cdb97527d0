"""Small caches of letters, in which one can see what a policy evicts."""

from typing import Any

import numpy as np

from radixlab.cache import CacheError, KVCacheManager
from radixlab.cache.errors import PolicyError
from radixlab.cache.protocols import PolicyNode
from radixlab.config import CacheConfig
from radixlab.exercise.policy import PolicyHost
from radixlab.grade.ex4.hosted import Hosted

BLOCK_SIZE = 4


class Telling(Hosted):
    """Notes what stands in each victim's last block."""

    def __init__(self, host: Any) -> None:
        super().__init__(host)
        self.told: list[str] = []

    def victim(self) -> PolicyNode | None:
        """Ask, and note."""
        node = super().victim()
        if node is not None:
            self.told.append(_text(node))
        return node


def evicted(policy: Any, prompts: list[str], num_blocks: int) -> list[str]:
    """Serve prompts one after the other in a small cache; return what was evicted, in order.

    Blocks hold 4 letters. Each victim is told by the letters from the top of the tree to its end.

    >>> from radixlab.grade.ex4.reference import LeastRecent
    >>> evicted(LeastRecent(), ["aaaa-", "bbbb-", "aaaa-", "cccc-"], num_blocks=3)
    ['bbbb']
    """
    return serve_small(Telling(PolicyHost(policy)), prompts, num_blocks)


def serve_small(policy: Telling, prompts: list[str], num_blocks: int) -> list[str]:
    """Serve prompts under a hosted policy, which tells what went."""
    manager = KVCacheManager(CacheConfig(num_blocks, BLOCK_SIZE), policy=policy)
    for prompt in prompts:
        tokens = np.frombuffer(prompt.encode("utf-32-le"), np.int32)
        try:
            sequence = manager.allocate(tokens)
        except PolicyError as error:
            raise (error.__cause__ or error) from None
        except CacheError:  # longer than the pool
            continue
        manager.commit(sequence, len(tokens))
        manager.release(sequence)
    policy.flush()
    return policy.told


def _text(node: PolicyNode) -> str:
    letters = bytes(node.edge).decode("utf-32-le")
    above = node.parent
    return (_text(above) if above is not None and above.num_blocks else "") + letters
