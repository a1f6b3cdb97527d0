"""The contracts between the parts: prefix tree and eviction policy.

A learner's tree (exercise 8.5.1) and policy (8.5.4) fit here as well as ours do. No code of the
engine is in this file.
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
        """Return the blocks `match_prefix` would, and change nothing."""

    def insert(
        self, tokens: TokensLike, block_ids: BlockIds, namespace: Namespace | None = None
    ) -> InsertResult:
        """Store one block id per whole block of `tokens`.

        What is there already stays, and the caller's id comes back as a duplicate.
        """

    def lock(self, node: Any) -> Any:
        """Protect the node and all its ancestors from eviction."""

    def unlock(self, receipt: Any) -> None:
        """Undo one lock; a second time raises."""

    def trim(self, node: Any, num_blocks: int) -> BlockIds:
        """Take blocks off the tail of an unlocked leaf and return their ids.

        A node without blocks is gone.
        """

    def evict(self, num_blocks: int) -> BlockIds:
        """Take that many blocks (or all there are) off unlocked leaves, in any legal order."""

    def walk(self) -> Iterator[NodeView]:
        """Yield every node, parents first. The root owns no blocks and is not yielded."""

    def stats(self) -> TreeStats:
        """Count nodes, shared, unique and cached blocks."""


class PolicyNode(Protocol):
    """What a policy may read of a node."""

    id: int
    """Never used twice."""
    tick: int
    """Last use, in the manager's ticks."""
    num_hits: int
    """How many requests found it."""
    num_blocks: int
    end: int
    """Blocks from the root to the end of the node."""
    namespace: Namespace | None
    priority: int
    """The highest that a request gave it; 0 if none did."""
    edge: bytes | memoryview
    """Its token ids, int32, as memory: `num_blocks` blocks of equal length."""

    @property
    def evictable(self) -> bool:
        """Whether the node is an unlocked leaf now."""

    @property
    def parent(self) -> "PolicyNode | None":
        """The node above; None for a root."""


class EvictionPolicy(Protocol):
    """Which unlocked leaf to give up next. The tree reports; the manager asks and trims.

    A policy that inherits from this needs only the hooks it uses: those here do nothing.
    """

    name: str
    reason: str
    """Why a victim was chosen, for the why line: "least recent"."""
    max_blocks: int | None = None
    """Most blocks to take off a victim's tail before asking again; None for all that are wanted."""

    def on_insert(self, node: PolicyNode, tick: int) -> None:
        """Hear of a new node."""
        return

    def on_hit(self, node: PolicyNode, tick: int) -> None:
        """Hear that a match went through the node."""
        return

    def on_split(self, upper: PolicyNode, lower: PolicyNode) -> None:
        """Hear that `lower` gave its first blocks to the new node `upper`."""
        return

    def on_remove(self, node: PolicyNode) -> None:
        """Hear that the node is gone."""
        return

    def on_evictable(self, node: PolicyNode) -> None:
        """Hear that the node has become an unlocked leaf."""
        return

    def on_protected(self, node: PolicyNode) -> None:
        """Hear that the node is no longer an unlocked leaf."""
        return

    def victim(self) -> Any:
        """Return the evictable node to trim next, None if there is none.

        It stays until trimmed away.
        """


HOOKS = ("on_insert", "on_hit", "on_split", "on_remove", "on_evictable", "on_protected")
"""What a policy may hear of."""


Hook = Callable[..., None]


def hook(policy: EvictionPolicy, name: str) -> Hook | None:
    """Return a policy's hook, or None if it is the protocol's own, which does nothing."""
    method = getattr(policy, name)
    is_default = getattr(method, "__func__", None) is getattr(EvictionPolicy, name)
    return None if is_default else method
