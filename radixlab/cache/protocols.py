"""The contracts between the parts: prefix tree, eviction policy, and their results.

A learner's tree (exercise 8.5.1) and policy (8.5.4) fit here as well as ours do. No code of the
engine is in this file.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
import numpy.typing as npt

from radixlab.cache.errors import LockError
from radixlab.cache.tokens import TokensLike
from radixlab.events import Namespace

BlockIds = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Match:
    """The longest cached prefix, in whole blocks."""

    node: Any
    """Its last node; the match ends exactly at the node's end, so a lock on it covers these blocks
    and no more."""
    block_ids: BlockIds
    """int32 `[num_cached_blocks]`, in token order."""


@dataclass(frozen=True, slots=True)
class InsertResult:
    """What the tree now owns for a key."""

    node: Any
    """The node where the key ends."""
    block_ids: BlockIds
    """The tree's blocks for the whole key: the caller's block table must say these from now on."""
    num_cached_blocks: int
    """Leading blocks that were in the tree already."""
    duplicate_block_ids: BlockIds
    """The caller's ids that differ from the tree's: the caller must free them *and* re-point its
    block table."""


@dataclass(eq=False, slots=True)
class Receipt:
    """Proof of one lock. `unlock` takes it once; a second time raises."""

    node: Any
    released: bool = False

    def __reduce_ex__(self, protocol: Any) -> Any:
        # `copy` and `pickle` come here: two receipts of one lock would release it twice.
        raise LockError("a receipt stands for one lock: it cannot be copied")


@dataclass(frozen=True, slots=True)
class NodeView:
    """A node as viewers and tests see it. `lock_ref` counts the receipts at or below the node."""

    id: int
    parent_id: int | None
    namespace: Namespace | None
    tokens: tuple[int, ...]
    block_ids: tuple[int, ...]
    lock_ref: int
    num_hits: int = 0
    tick: int = 0
    resident: bool = True
    """Whether `block_ids` are the device's; otherwise they are the host's."""


@dataclass(frozen=True, slots=True)
class TreeStats:
    """Blocks by the receipts at or below them: shared is two or more, unique one, cached none."""

    num_nodes: int
    num_shared_blocks: int
    num_unique_blocks: int
    num_cached_blocks: int

    @property
    def sharing_ratio(self) -> float:
        """Shared blocks among those in use; 0 when none is."""
        used = self.num_shared_blocks + self.num_unique_blocks
        return self.num_shared_blocks / used if used else 0.0


TransferKind = Literal["copy", "write_back", "load_back"]
"""Device to device, device to host, host to device."""


@dataclass(frozen=True, slots=True)
class Transfer:
    """Copy the bytes of block `src` to block `dst`.

    The cache orders it; the owner of the KV runs it.
    """

    src: int
    dst: int
    kind: TransferKind

    @property
    def device_blocks(self) -> tuple[int, ...]:
        """Its ends on the device."""
        if self.kind == "copy":
            return self.src, self.dst
        return (self.src if self.kind == "write_back" else self.dst,)

    @property
    def host_blocks(self) -> tuple[int, ...]:
        """Its end on the host, if it has one."""
        if self.kind == "copy":
            return ()
        return (self.dst if self.kind == "write_back" else self.src,)


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

    def lock(self, node: Any) -> Receipt:
        """Protect the node and all its ancestors from eviction."""

    def unlock(self, receipt: Receipt) -> None:
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
