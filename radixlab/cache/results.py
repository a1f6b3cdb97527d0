"""What the cache hands out: matches, views, transfers. Plain values, without the parts behind them.

The proof of a lock, `Receipt`, stands beside the node that it locks (`node.py`). Transfers are in
`transfer.py`.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from radixlab.cache.transfer import Transfer as Transfer
from radixlab.events import Namespace

BlockIds = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Match:
    """The longest cached prefix, in whole blocks."""

    node: Any
    """Its last node. The match ends exactly at the node's end, so a lock on it covers exactly these
    blocks."""
    block_ids: BlockIds
    """int32 `[num_cached_blocks]`, in token order."""


@dataclass(frozen=True, slots=True)
class InsertResult:
    """What the tree now owns for a key."""

    node: Any
    """The node where the key ends."""
    block_ids: BlockIds
    """The tree's blocks for the whole key: the caller's block table must hold these from now on."""
    num_cached_blocks: int
    """The number of leading blocks that the tree had already."""
    duplicate_block_ids: BlockIds
    """The caller's ids that the tree did not take: the caller must free them *and* replace them in
    its block table."""


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
    """Whether `block_ids` are on the device; otherwise they are on the host."""


@dataclass(frozen=True, slots=True)
class TreeStats:
    """Block counts by the receipts at or below: shared has two or more, unique one, cached none."""

    num_nodes: int
    num_shared_blocks: int
    num_unique_blocks: int
    num_cached_blocks: int

    @property
    def sharing_ratio(self) -> float:
        """The share of blocks in use that are shared; 0 if none is in use."""
        used = self.num_shared_blocks + self.num_unique_blocks
        return self.num_shared_blocks / used if used else 0.0
