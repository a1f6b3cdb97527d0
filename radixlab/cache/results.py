"""What the cache hands out: matches, views, transfers. Plain values, without the parts behind them.

The proof of a lock, `Receipt`, stands beside the node that it locks (`node.py`).
"""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

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
