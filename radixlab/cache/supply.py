"""Where blocks come from: the free list first, then the cache itself, exactly as many as missing.

Knows the allocator, the tree and its policy, and the host tier if there is one, which takes what
the cache gives up. It does not know sequences.
"""

from radixlab.cache.allocator import BlockAllocator
from radixlab.cache.errors import OutOfBlocksError, PolicyError
from radixlab.cache.explain import EvictionMemory
from radixlab.cache.found import Found
from radixlab.cache.host import HostTier
from radixlab.cache.protocols import BlockIds
from radixlab.cache.tree import RadixTree
from radixlab.events import OutOfBlocks


class BlockSupply:
    """Promises blocks (`require`), then delivers them (`take`)."""

    def __init__(
        self,
        tree: RadixTree,
        allocator: BlockAllocator,
        memory: EvictionMemory | None,
        host: HostTier | None = None,
    ) -> None:
        self._tree = tree
        self._allocator = allocator
        self._memory = memory
        self._host = host
        self.evicted_blocks = 0

    def require(self, num_blocks: int, about_to_lock: Found | None = None) -> None:
        """Raise `OutOfBlocksError` unless `num_blocks` can be had.

        A match about to be locked counts as locked: its blocks cannot be evicted to make room for
        the rest of the same prompt.
        """
        if self.has(num_blocks, about_to_lock):
            return
        free, evictable = self._allocator.num_free, self._tree.num_evictable_blocks
        if about_to_lock is not None:
            evictable -= about_to_lock.num_unlocked_blocks()
        if emit := self._tree.emit:
            emit(OutOfBlocks(*self._tree.stamp(), num_blocks, free, evictable))
        raise OutOfBlocksError(
            f"{num_blocks} blocks needed, {free} free and {evictable} evictable "
            f"of {self._allocator.num_blocks}"
        )

    def has(self, num_blocks: int, about_to_lock: Found | None = None) -> bool:
        """Whether `require` would be silent."""
        free, evictable = self._allocator.num_free, self._tree.num_evictable_blocks
        if num_blocks <= free:
            return True
        if about_to_lock is None:
            return num_blocks <= free + evictable
        if num_blocks <= free + evictable - about_to_lock.num_blocks:
            return True  # enough even if all of the match were unlocked: no need to look
        return num_blocks <= free + evictable - about_to_lock.num_unlocked_blocks()

    def take(self, num_blocks: int, tick: int) -> list[BlockIds]:
        """Take blocks that were promised: runs of ids, int32, `num_blocks` together.

        Evicted blocks go straight from the tree to the taker, not through the free list.
        """
        missing = num_blocks - self._allocator.num_free
        if missing <= 0:
            return [self._allocator.allocate(num_blocks)]
        evicted = self.give_up(missing, tick)
        if (num_evicted := sum(map(len, evicted))) < missing:
            self._free(evicted)
            num_evictable = self._tree.num_evictable_blocks
            raise self._broken(f"named no victim, though {num_evictable} blocks are evictable")
        if num_evicted == num_blocks:
            return evicted
        return [self._allocator.allocate(num_blocks - num_evicted), *evicted]

    def give_up(self, num_blocks: int, tick: int) -> list[BlockIds]:
        """Take that many blocks (or all there are) off the policy's victims.

        Returns runs of their ids. Nobody holds them from here on: the caller uses or frees them.
        Raises `PolicyError` if the policy names a victim that may not be one; what went until then
        is free.
        """
        gone: list[BlockIds] = []
        missing, tree = num_blocks, self._tree
        most = getattr(tree.policy, "max_blocks", None) or num_blocks
        while missing > 0:
            try:
                node = tree.policy.victim()
                if node is None:
                    break
                num = min(missing, node.num_blocks, most)
                if self._host:
                    gone.append(self._host.evict(node, num, tick))
                else:
                    if self._memory:
                        self._memory.remember(node, num, tick)
                    gone.append(tree.trim(node, num))
            except Exception as error:
                self._free(gone)
                raise self._broken(f"failed: {type(error).__name__}: {error}") from error
            missing -= num
            self.evicted_blocks += num
        return gone

    def _free(self, runs: list[BlockIds]) -> None:
        for block_ids in runs:
            self._allocator.free(block_ids)

    def _broken(self, what: str) -> PolicyError:
        return PolicyError(f"policy {getattr(self._tree.policy, 'name', self._tree.policy)} {what}")
