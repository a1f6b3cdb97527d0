"""The result of a walk down the tree: where it ended, and the blocks on its path.

This file knows nodes. It does not know tokens; the tree compares those.
"""

from typing import Any

import numpy as np

from radixlab.cache.errors import TokenError
from radixlab.cache.node import Node
from radixlab.cache.results import BlockIds
from radixlab.cache.tokens import TOKEN_BYTES, Tokens
from radixlab.config import shown
from radixlab.events import Namespace

NO_BLOCKS: BlockIds = np.empty(0, np.int32)
NO_BLOCKS.flags.writeable = False


class Found:
    """The end of a walk: all of `node`, then `child_blocks` blocks of `child`.

    No node is split yet.
    """

    __slots__ = ("child", "child_blocks", "node", "num_blocks", "runs", "version")

    def __init__(
        self,
        node: Node,
        child: Node | None,
        child_blocks: int,
        num_blocks: int,
        runs: list[BlockIds],
        version: int,
    ) -> None:
        self.node = node
        self.child = child
        self.child_blocks = child_blocks
        self.num_blocks = num_blocks
        """The number of matched blocks."""
        self.runs = runs
        """The ids of the matched blocks, one array per node."""
        self.version = version
        """The tree's version at the time: while the tree keeps it, the match holds."""

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
        return Found(node, None, 0, node.end, runs, self.version)


def still_good(
    match: Found | Any, tree: Any, prompt: Tokens, namespace: Namespace | None
) -> Found | None:
    """Return a look-up that somebody hands on, or None if the tree has changed since.

    Raises `TokenError` for one of another tree, namespace or prompt. Of the tokens only the last
    matched block is compared, so whoever hands a match on must know whose it is.
    """
    version: int = tree.version
    if not isinstance(match, Found) or match.node.tree is not tree:
        raise TokenError(f"match must be a look-up in this cache's tree, not {shown(match)}")
    if match.version != version:
        return None
    if match.node.namespace != namespace:
        raise TokenError(f"match is of namespace {match.node.namespace}, not of {namespace}")
    node, num_blocks = match.child or match.node, match.child_blocks or match.node.num_blocks
    step = len(node.key)
    end = match.num_blocks * step
    last = bytes(node.edge[(num_blocks - 1) * step : num_blocks * step])
    if end >= prompt.num_tokens * TOKEN_BYTES or prompt.view[max(0, end - step) : end] != last:
        raise TokenError(f"match has {match.num_blocks} blocks of another prompt")
    return match
