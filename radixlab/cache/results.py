"""What the cache hands out: matches, views, transfers. Plain values, without the parts behind them.

The proof of a lock, `Receipt`, stands beside the node that it locks (`node.py`).
"""

from dataclasses import dataclass
from functools import partial
from itertools import repeat
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

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


TransferKind = Literal["copy", "write_back", "load_back"]
"""Device to device, device to host, host to device."""


class Transfer(NamedTuple):
    """Copy the bytes of block `src` to block `dst`.

    The cache orders it; the owner of the KV runs it. An eviction to the host orders dozens, so they
    are tuples, which Python makes and hashes fastest.
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
        """The end of the transfer that is on the host, if there is one."""
        if self.kind == "copy":
            return ()
        return (self.dst if self.kind == "write_back" else self.src,)


_as_transfer = partial(tuple.__new__, Transfer)


def transfers_of(kind: TransferKind, src: list[int], dst: list[int]) -> list[Transfer]:
    """List the transfers of a run, one a block.

    >>> transfers_of("copy", [1], [7])
    [Transfer(src=1, dst=7, kind='copy')]
    """
    return list(map(_as_transfer, zip(src, dst, repeat(kind), strict=False)))
