"""The result of a walk down the tree: where it ended, and the blocks on its path.

This file knows nodes. It does not know tokens; the tree compares those.
"""

import numpy as np

from radixlab.cache.node import Node
from radixlab.cache.results import BlockIds

NO_BLOCKS: BlockIds = np.empty(0, np.int32)
NO_BLOCKS.flags.writeable = False


class Found:
    """The end of a walk: all of `node`, then `child_blocks` blocks of `child`.

    No node is split yet.
    """

    __slots__ = ("child", "child_blocks", "node", "num_blocks", "runs")

    def __init__(
        self,
        node: Node,
        child: Node | None,
        child_blocks: int,
        num_blocks: int,
        runs: list[BlockIds],
    ) -> None:
        self.node = node
        self.child = child
        self.child_blocks = child_blocks
        self.num_blocks = num_blocks
        """The number of matched blocks."""
        self.runs = runs
        """The ids of the matched blocks, one array per node."""

    @property
    def is_resident(self) -> bool:
        """Whether all of the match is on the device."""
        return (self.child or self.node).resident

    @property
    def block_ids(self) -> BlockIds:
        """The matched block ids, int32 `[num_blocks]`."""
        return np.concatenate(self.runs) if self.runs else NO_BLOCKS

    def num_unlocked_blocks(self) -> int:
        """Count the matched blocks that are evictable now, but not once the match is locked.

        Rules: L6.
        """
        blocks = sum(node.num_blocks for node in self.node.path() if not node.locked)
        return blocks + (self.child_blocks if self.child and not self.child.locked else 0)

    def on_device(self) -> "Found":
        """Return the part of the match that is on the device; without a host tier, all of it (H5).

        A path lies on the device down to some node, and on the host below it.
        """
        if self.is_resident:
            return self
        runs = self.runs[:-1] if self.child else self.runs[:]
        node = self.node
        while not node.resident and node.parent:
            runs.pop()
            node = node.parent
        return Found(node, None, 0, node.end, runs)
