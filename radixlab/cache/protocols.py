"""The contracts between the parts: prefix tree and eviction policy.

A learner's tree (exercise 8.5.1) and policy (8.5.4) satisfy them just like ours. This file has no
code of the engine.
"""

from collections.abc import Callable, Iterator
from typing import Any, Protocol

from radixlab.cache.results import BlockIds, InsertResult, Match, NodeView, TreeStats
from radixlab.cache.tokens import TokensLike
from radixlab.events import Namespace


class PrefixTree(Protocol):
    """A radix tree keyed by token content, in whole blocks."""

    def match_prefix(self, tokens: TokensLike, namespace: Namespace | None = None) -> Match:
        """Find the longest cached prefix, splitting the node in which it ends."""

    def peek(self, tokens: TokensLike, namespace: Namespace | None = None) -> BlockIds:
        """Return the blocks that `match_prefix` would return; change nothing."""

    def insert(
        self, tokens: TokensLike, block_ids: BlockIds, namespace: Namespace | None = None
    ) -> InsertResult:
        """Store one block id per whole block of `tokens`.

        Blocks that the tree has already stay; the caller's ids for them are returned as duplicates.
        """

    def lock(self, node: Any) -> Any:
        """Protect the node and all its ancestors from eviction."""

    def unlock(self, receipt: Any) -> None:
        """Undo one lock; a second call with the same receipt raises."""

    def trim(self, node: Any, num_blocks: int) -> BlockIds:
        """Take blocks off the tail of an unlocked leaf, and return their ids.

        A node without blocks is removed.
        """

    def evict(self, num_blocks: int) -> BlockIds:
        """Take `num_blocks` blocks, or all evictable ones, off unlocked leaves in a legal order."""

    def walk(self) -> Iterator[NodeView]:
        """Yield every node, parents first. The root owns no blocks and is not yielded."""

    def stats(self) -> TreeStats:
        """Count nodes, shared, unique and cached blocks."""


class PolicyNode(Protocol):
    """The part of a node that a policy may read."""

    id: int
    """Never used twice."""
    tick: int
    """Last use, in the manager's ticks."""
    num_hits: int
    """How many requests matched it."""
    num_blocks: int
    end: int
    """Blocks from the root to the end of the node."""
    namespace: Namespace | None
    priority: int
    """The highest priority that a request gave it; 0 by default."""
    edge: bytes | memoryview
    """Its token ids, int32, as memory: `num_blocks` blocks of equal length."""

    @property
    def evictable(self) -> bool:
        """Whether the node is an unlocked leaf now."""

    @property
    def parent(self) -> "PolicyNode | None":
        """The node above; None for a root."""


class EvictionPolicy(Protocol):
    """Chooses the next unlocked leaf to evict: the tree reports, the manager asks and trims.

    A policy that inherits from this class needs only the hooks that it uses; these do nothing.
    """

    name: str
    reason: str
    """The reason for its choices, for the why line, such as "least recent"."""
    max_blocks: int | None = None
    """Most blocks to take off a victim before asking again; None for all that are needed."""

    def on_insert(self, node: PolicyNode, tick: int) -> None:
        """Handle a new node."""
        return

    def on_hit(self, node: PolicyNode, tick: int) -> None:
        """Handle a match that passes through the node."""
        return

    def on_split(self, upper: PolicyNode, lower: PolicyNode) -> None:
        """Handle a split: `lower` gave its first blocks to the new node `upper`."""
        return

    def on_remove(self, node: PolicyNode) -> None:
        """Handle the removal of the node."""
        return

    def on_evictable(self, node: PolicyNode) -> None:
        """Handle that the node became an unlocked leaf."""
        return

    def on_protected(self, node: PolicyNode) -> None:
        """Handle that the node stopped being an unlocked leaf."""
        return

    def victim(self) -> Any:
        """Return the evictable node to trim next, or None.

        It stays until it is trimmed away.
        """


HOOKS = ("on_insert", "on_hit", "on_split", "on_remove", "on_evictable", "on_protected")
"""What a policy may hear of."""


Hook = Callable[..., None]


def hook(policy: EvictionPolicy, name: str) -> Hook | None:
    """Return a policy's hook, or None if it is the protocol's own, which does nothing."""
    method = getattr(policy, name)
    is_default = getattr(method, "__func__", None) is getattr(EvictionPolicy, name)
    return None if is_default else method
