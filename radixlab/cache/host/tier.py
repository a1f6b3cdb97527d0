"""The host tier: a second, larger and slower pool for blocks that are evicted from the device.

Without it, an evicted prefix must be recomputed. With it, the prefix is copied out (*write-back*)
and in again (*load-back*), which is much cheaper for long prompts. The tiers are exclusive: a
block's KV is either on the device or on the host. All nodes below a host node are on the host too.

A request whose match continues on the host takes more steps than a plain one: `hold` protects what
is to come back, `load` brings it to the device once the request has its blocks, and `let_go` undoes
the first (`admission.py` calls them). A commit that finds its blocks on the host needs no copy:
`replace` lets the blocks just computed stand for them.

The host always evicts its least recent leaf, whatever the device's policy is: a hit moves a node
away from the host, so the ticks of host nodes never change. `supply.py` decides *that* a block
leaves the device; transfers say where its bytes go.
"""

from operator import attrgetter

import numpy as np

from radixlab.cache.allocator import BlockAllocator
from radixlab.cache.eviction import LeafHeap
from radixlab.cache.explain import EvictionMemory
from radixlab.cache.found import NO_BLOCKS, Found
from radixlab.cache.host.held import add_references, drop_references
from radixlab.cache.host.moves import to_device, to_host
from radixlab.cache.host.transfers import PendingTransfers
from radixlab.cache.node import Node
from radixlab.cache.results import BlockIds
from radixlab.cache.runs import to_runs
from radixlab.cache.sequence import Sequence
from radixlab.cache.stats import Counts
from radixlab.cache.tokens import Tokens
from radixlab.cache.tree import RadixTree
from radixlab.cache.views import walk_nodes
from radixlab.events import BlockStored, LoadedBack, WrittenBack

FULL = "host full"
"""The reason for dropping blocks because the host is full."""
BELOW_CORRUPT = "below corrupt KV, on the host"
"""The reason for dropping host blocks whose prefix was quarantined."""


class HostTier:
    """Owns the host blocks and their nodes, and moves nodes between the tiers."""

    def __init__(
        self,
        allocator: BlockAllocator,
        tree: RadixTree,
        transfers: PendingTransfers,
        counts: Counts,
        memory: EvictionMemory | None,
    ) -> None:
        self.allocator = allocator
        self._tree = tree
        self._transfers = transfers
        self._counts = counts
        self._memory = memory
        self.leaves = self._new_heap()
        """All host leaves but the busy ones, the least recent first."""
        self.busy: list[Node] = []
        """Leaves that had a pending transfer when they were looked at."""
        self._num_complete = 0
        """How many runs were complete when a leaf was last found busy."""
        self._loading: list[Node] = []
        """What `hold` protects for the request that is being admitted."""

    # ---- from the device

    def evict(self, node: Node, num_blocks: int) -> BlockIds:
        """Take blocks off the tail of the policy's victim; return their ids, int32 `[num_blocks]`.

        As many as the host can make room for are written back. The others are dropped, after
        everything below them.
        """
        host_ids = self._make_room(node, num_blocks)
        num_dropped, gone = num_blocks - len(host_ids), []
        if num_dropped:  # nothing is left below the node now
            gone.append(self._drop_from_device(node, num_dropped))
        if len(host_ids):
            gone.append(self._write_back(node, host_ids))
        return gone[0] if len(gone) == 1 else np.concatenate(gone)

    def _make_room(self, node: Node, num_blocks: int) -> BlockIds:
        """Take up to `num_blocks` host blocks for the tail of `node`; return those available.

        If too few are free, the least recent leaves are dropped, and their blocks handed on. A leaf
        with a pending transfer stays, because its blocks would not be free yet. A leaf below `node`
        is the exception: it must go in any case. Its blocks are reused although bytes may still be
        arriving in them: the new transfer is ordered later, and overwrites them.
        """
        num_free = min(num_blocks, self.allocator.num_free)
        taken, missing = [self.allocator.allocate(num_free)], num_blocks - num_free
        if not missing:
            return taken[0]
        if self._num_complete != self._transfers.num_complete:
            self._look_again()
        while missing and (leaf := self.leaves.pop()):
            if self._is_busy(leaf):
                self.busy.append(leaf)
            else:
                taken.append(self.drop(leaf, min(missing, leaf.num_blocks)))
                missing -= len(taken[-1])
        return np.concatenate((*taken, self._take_from_below(node, missing)))

    def _look_again(self) -> None:
        """Let busy leaves be victims again: transfers are complete since, or nothing is held.

        Until then they are not looked at. There may be hundreds, and a policy that evicts block by
        block would look at each of them for every block.
        """
        self._num_complete = self._transfers.num_complete
        for leaf in self.busy:
            if leaf.droppable:
                self.leaves.push(leaf)
        self.busy = []

    def _take_from_below(self, node: Node, num_blocks: int) -> BlockIds:
        """Drop up to `num_blocks` blocks below a node, deepest first; return their ids (H6)."""
        taken, missing = [NO_BLOCKS], num_blocks
        below = reversed(list(walk_nodes([node]))) if missing > 0 else ()
        for leaf in below:
            if missing > 0:
                taken.append(self.drop(leaf, min(missing, leaf.num_blocks)))
                missing -= len(taken[-1])
        return np.concatenate(taken)

    def _write_back(self, node: Node, host_ids: BlockIds) -> BlockIds:
        # H1
        tree, num_blocks = self._tree, len(host_ids)
        device_ids = node.block_ids[-num_blocks:]
        moved = to_host(tree, node, host_ids)
        self._counts.written_back_blocks += num_blocks
        self._transfers.order("write_back", device_ids, host_ids)
        if moved.droppable:
            self.leaves.push(moved)
        if emit := tree.log.emit:
            emit(
                WrittenBack(
                    *tree.log.stamp(),
                    site="host.write_back",
                    node_id=node.id,
                    host_node_id=moved.id,
                    block_runs=to_runs(device_ids),
                    host_runs=to_runs(host_ids),
                    reason=tree.policy.reason,
                    tick=node.tick,
                )
            )
        return device_ids

    def _drop_from_device(self, node: Node, num_blocks: int) -> BlockIds:
        # H4
        if self._memory:
            self._memory.remember(node, num_blocks)
        self._counts.dropped_blocks += num_blocks
        return self._tree.take_tail(node, num_blocks, f"{self._tree.policy.reason}, {FULL}")

    def drop(self, leaf: Node, num_blocks: int, reason: str = FULL) -> BlockIds:
        """Take blocks off the tail of a host leaf and out of the cache (H4).

        Returns their ids; the caller uses or frees them.
        """
        if self._memory:
            self._memory.remember(leaf, num_blocks)
        self._counts.dropped_blocks += num_blocks
        gone = self._tree.take_tail(leaf, num_blocks, reason)
        last = leaf if leaf.alive else leaf.parent
        if last is not None and last.droppable:
            self.leaves.push(last)
        return gone

    # ---- to the device

    def hold(self, sequence: Sequence, match: Found, here: Found, num_new: int) -> bool:
        """Protect what of a match is on the host; return whether that is anything.

        Before room is made for it on the device, for that may need room on the host (H3).
        """
        if here is match:
            return False
        node, loading = self._tree.cut(match), list[Node]()
        while not node.resident and node.parent:
            add_references(self.allocator, node.block_ids.tolist())
            loading.append(node)
            node = node.parent
        self._loading = loading[::-1]
        return True

    def let_go(self) -> None:
        """Undo `hold`."""
        for node in self._loading:
            self.allocator.unshare(node.block_ids)
        self._look_again()

    def load(self, sequence: Sequence) -> None:
        """Bring the nodes that `hold` protects into the blocks that stand for them in the table.

        Their bytes are ordered, and the sequence's lock moves down over them.

        Rules: H5.
        """
        nodes, end = self._loading, self._loading[-1]
        block_ids = sequence.block_table[sequence.node.end : end.end].copy()
        sequence.host_hit_tokens = len(block_ids) * self._tree.block_size
        self._load_back(nodes, block_ids)
        self._tree.locks.move(sequence.receipt, end, sequence.id)

    def copy(self, sequence: Sequence) -> None:
        """Do nothing: all that comes from the host is ordered by `load`."""

    def _load_back(self, nodes: list[Node], block_ids: BlockIds) -> None:
        """Let these nodes, parents first, be on the device in these blocks, int32 `[their blocks]`.

        Until the bytes have arrived, their source keeps the extra reference of `hold`, and a lock
        keeps the nodes where they are.

        Rules: H1, H2, H3.
        """
        tree = self._tree
        sources = [node.block_ids for node in nodes]
        for node in nodes:
            host_ids, node_ids = node.block_ids, block_ids[: node.num_blocks]
            block_ids = block_ids[node.num_blocks :]
            to_device(tree, node, node_ids, self._counts.tick)
            drop_references(self.allocator, host_ids.tolist())
            if emit := tree.log.emit:
                emit(
                    LoadedBack(
                        *tree.log.stamp(),
                        site="host.load_back",
                        node_id=node.id,
                        host_runs=to_runs(host_ids),
                        block_runs=to_runs(node_ids),
                    )
                )
        host_ids = np.concatenate(sources)
        self._counts.loaded_back_blocks += len(host_ids)
        destinations = np.concatenate([node.block_ids for node in nodes])
        receipt = tree.locks.lock(nodes[-1])
        self._transfers.order("load_back", host_ids, destinations, receipt)

    def replace(self, node: Node, tokens: Tokens, block_ids: BlockIds, sequence_id: int) -> None:
        """Let a node of the host be on the device in blocks just computed; free its host blocks."""
        tree = self._tree
        self.allocator.free(node.block_ids)
        to_device(tree, node, block_ids.copy(), self._counts.tick)
        if emit := tree.log.emit:
            emit(
                BlockStored(
                    *tree.log.stamp(),
                    site="host.replace",
                    node_id=node.id,
                    parent_id=node.parent_id,
                    namespace=node.namespace,
                    sequence_id=sequence_id,
                    start_token=(node.end - node.num_blocks) * tree.block_size,
                    block_runs=to_runs(block_ids),
                    tick=node.tick,
                )
            )

    # ---- the tier as a whole

    def reset(self) -> None:
        """Forget everything; no transfer may be pending."""
        self.allocator.reset()
        self.leaves = self._new_heap()
        self.busy = []
        self._loading = []

    # ---- inside

    def _new_heap(self) -> LeafHeap:
        return LeafHeap(attrgetter("tick"), attrgetter("droppable"))

    def _is_busy(self, leaf: Node) -> bool:
        """Whether a block of the leaf has an extra reference: a transfer, or one about to be."""
        return not self.allocator.more_holders.keys().isdisjoint(leaf.block_ids.tolist())
