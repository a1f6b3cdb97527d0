"""The host tier: a second, larger and slower pool for what is evicted from the device.

Without it, what is evicted is computed again when it comes back; with it, it is copied out
(*write-back*) and in again (*load-back*), which for long prompts is much cheaper. The tiers are
exclusive: a block's KV is on the device or on the host, and what is below a node of the host is on
the host too.

The host has a least-recent order of its own, whatever the device's policy is: a node there is never
hit without leaving, so its tick stays what it was. Who decides *that* a block leaves the device is
`supply.py`; where the bytes go is told by transfers.
"""

from operator import attrgetter

import numpy as np

from radixlab.cache.allocator import BlockAllocator
from radixlab.cache.eviction import LeafHeap
from radixlab.cache.explain import EvictionMemory
from radixlab.cache.found import NO_BLOCKS
from radixlab.cache.node import Node
from radixlab.cache.protocols import BlockIds, Receipt, Transfer, TransferKind
from radixlab.cache.runs import to_runs
from radixlab.cache.tiers import to_device, to_host
from radixlab.cache.transfers import PendingTransfers
from radixlab.cache.tree import RadixTree, bad_trim
from radixlab.cache.views import walk_nodes
from radixlab.events import LoadedBack, WrittenBack

FULL = "host full"
"""Why blocks are dropped that would have stayed otherwise."""
BELOW_CORRUPT = "below corrupt KV, on the host"
"""Why blocks of the host go when the prefix that they continue is quarantined."""


class HostTier:
    """Host blocks, the nodes that have them, and the ways there and back."""

    def __init__(
        self,
        allocator: BlockAllocator,
        tree: RadixTree,
        transfers: PendingTransfers,
        memory: EvictionMemory | None,
    ) -> None:
        self.allocator = allocator
        self._tree = tree
        self._transfers = transfers
        self._memory = memory
        self.leaves = self._new_heap()
        """Every leaf of the host, the least recent in front."""
        self.written_back_blocks = self.loaded_back_blocks = self.dropped_blocks = 0
        tree.give_back_host = allocator.free

    # ---- from the device

    def evict(self, node: Node, num_blocks: int, tick: int) -> BlockIds:
        """Take blocks off the tail of the policy's victim; return their ids, int32 `[num_blocks]`.

        As many as the host can make room for go there. The rest is dropped, after all that is below
        it.
        """
        if not node.evictable:
            raise bad_trim(node, num_blocks)
        host_ids = self._make_room(node, num_blocks, tick)
        num_dropped, gone = num_blocks - len(host_ids), []
        if num_dropped:  # then nothing is left below the node
            gone.append(self._drop_from_device(node, num_dropped, tick))
        if len(host_ids):
            gone.append(self._write_back(node, host_ids))
        return np.concatenate(gone)

    def _make_room(self, node: Node, num_blocks: int, tick: int) -> BlockIds:
        """Take up to `num_blocks` host blocks for the tail of `node`; return as many as can be had.

        Where none is free, the least recent leaves are dropped. A leaf with an end of a transfer
        stays, for its blocks would not be free yet; unless it is below `node`, so that it must go
        in any case. Then its blocks are handed on as they are: the new bytes are ordered after
        those that are still on their way, and overwrite them.
        """
        busy, missing = [], num_blocks - self.allocator.num_free
        while missing > 0 and (leaf := self.leaves.pop()):
            if self._is_busy(leaf):
                busy.append(leaf)
            else:
                num_dropped = min(missing, leaf.num_blocks)
                self.allocator.free(self.drop(leaf, num_dropped, tick))
                missing -= num_dropped
        for leaf in busy:
            self.leaves.push(leaf)
        handed_on = self._take_from_below(node, missing, tick)
        num_free = min(num_blocks - len(handed_on), self.allocator.num_free)
        return np.concatenate((handed_on, self.allocator.allocate(num_free)))

    def _take_from_below(self, node: Node, num_blocks: int, tick: int) -> BlockIds:
        """Drop up to `num_blocks` blocks below a node, the deepest first; return their ids."""
        taken, missing = [NO_BLOCKS], num_blocks
        below = reversed(list(walk_nodes([node]))) if missing > 0 else ()
        for leaf in below:
            if missing > 0:
                taken.append(self.drop(leaf, min(missing, leaf.num_blocks), tick))
                missing -= len(taken[-1])
        return np.concatenate(taken)

    def _write_back(self, node: Node, host_ids: BlockIds) -> BlockIds:
        tree, num_blocks = self._tree, len(host_ids)
        device_ids = node.block_ids[-num_blocks:]
        moved = to_host(tree, node, host_ids)
        self.written_back_blocks += num_blocks
        self._order(device_ids, host_ids, "write_back")
        if moved.droppable:
            self.leaves.push(moved)
        if tree.emit:
            runs, why = (to_runs(device_ids), to_runs(host_ids)), (tree.policy.reason, node.tick)
            tree.emit(WrittenBack(*tree.stamp(), node.id, moved.id, *runs, *why))
        return device_ids

    def _drop_from_device(self, node: Node, num_blocks: int, tick: int) -> BlockIds:
        if self._memory:
            self._memory.remember(node, num_blocks, tick)
        self.dropped_blocks += num_blocks
        return self._tree.trim(node, num_blocks, f"{self._tree.policy.reason}, {FULL}")

    def drop(self, leaf: Node, num_blocks: int, tick: int, reason: str = FULL) -> BlockIds:
        """Take blocks off the tail of a leaf of the host, out of the cache.

        Returns their ids; the caller uses or frees them.
        """
        if self._memory:
            self._memory.remember(leaf, num_blocks, tick)
        self.dropped_blocks += num_blocks
        gone = self._tree.shorten(leaf, num_blocks, reason)
        last = leaf if leaf.alive else leaf.parent
        if last is not None and last.droppable:
            self.leaves.push(last)
        return gone

    # ---- to the device

    def hold(self, node: Node) -> list[Node]:
        """Protect what of the path to `node` is on the host; return these nodes, parents first.

        Before room is made for them on the device, for that may need room on the host.
        """
        nodes = []
        while not node.resident and node.parent:
            self.allocator.share(node.block_ids)
            nodes.append(node)
            node = node.parent
        return nodes[::-1]

    def let_go(self, nodes: list[Node]) -> None:
        """Undo `hold`."""
        for node in nodes:
            self.allocator.unshare(node.block_ids)

    def load_back(self, nodes: list[Node], block_ids: BlockIds, tick: int) -> None:
        """Bring nodes that `hold` protects into these device blocks, int32 `[their blocks]`.

        The bytes are ordered. Until they have arrived, their source keeps the holder of `hold`, and
        a lock keeps the nodes where they are.
        """
        tree = self._tree
        sources = [node.block_ids for node in nodes]
        for node in nodes:
            host_ids, node_ids = node.block_ids, block_ids[: node.num_blocks]
            block_ids = block_ids[node.num_blocks :]
            to_device(tree, node, node_ids, tick)
            self.allocator.free(host_ids)
            if tree.emit:
                runs = to_runs(host_ids), to_runs(node_ids)
                tree.emit(LoadedBack(*tree.stamp(), node.id, *runs))
        host_ids = np.concatenate(sources)
        self.loaded_back_blocks += len(host_ids)
        destinations = np.concatenate([node.block_ids for node in nodes])
        self._order(host_ids, destinations, "load_back", tree.lock(nodes[-1]))

    # ---- the tier as a whole

    def reset(self) -> None:
        """Forget everything; nothing is in transfer."""
        self.allocator.reset()
        self.leaves = self._new_heap()

    def stats(self) -> dict[str, int]:
        """Return the fields of `CacheStats` that are about the host."""
        return {
            "num_host_blocks": self.allocator.num_blocks,
            "num_free_host_blocks": self.allocator.num_free,
            "written_back_blocks": self.written_back_blocks,
            "loaded_back_blocks": self.loaded_back_blocks,
            "dropped_blocks": self.dropped_blocks,
        }

    # ---- inside

    def _new_heap(self) -> LeafHeap:
        return LeafHeap(attrgetter("tick"), attrgetter("droppable"))

    def _is_busy(self, leaf: Node) -> bool:
        """Whether a block of the leaf has a second holder: a transfer, or one about to be."""
        return not self.allocator.more_holders.keys().isdisjoint(leaf.block_ids.tolist())

    def _order(
        self, src: BlockIds, dst: BlockIds, kind: TransferKind, receipt: Receipt | None = None
    ) -> None:
        pairs = zip(src.tolist(), dst.tolist(), strict=True)
        self._transfers.order([Transfer(*pair, kind) for pair in pairs], receipt)
