"""Where blocks come from: the free list first, then the cache itself, exactly as many as missing.

This file knows the allocator, the tree and its policy; it does not know sequences. What becomes of
a victim's blocks is one function that the manager chooses: they are forgotten, remembered to
explain later misses, or written back to the host.
"""

from collections.abc import Callable, Iterable

from radixlab.cache.allocator import BlockAllocator
from radixlab.cache.errors import OutOfBlocksError, PolicyError
from radixlab.cache.found import Found
from radixlab.cache.node import Node
from radixlab.cache.results import BlockIds
from radixlab.cache.runs import joined
from radixlab.cache.stats import Counts
from radixlab.cache.tree import RadixTree, bad_trim
from radixlab.escape import count
from radixlab.events import OutOfBlocks

Evict = Callable[[Node, int], BlockIds]
"""Takes blocks off the tail of an unlocked leaf, remembers or copies what was in them, and returns
their ids."""


class BlockSupply:
    """Promises blocks (`require`), then delivers them (`take`)."""

    def __init__(
        self, tree: RadixTree, allocator: BlockAllocator, counts: Counts, evict: Evict | None = None
    ) -> None:
        self._tree = tree
        self._allocator = allocator
        self._counts = counts
        self._evict = evict

    def require(self, num_blocks: int, about_to_lock: Found | None = None) -> None:
        """Raise `OutOfBlocksError` unless `num_blocks` are available (L6).

        A match about to be locked counts as locked: its blocks cannot be evicted to make room for
        the rest of the same prompt.
        """
        most = self._allocator.num_free + self._tree.locks.num_evictable_blocks
        if about_to_lock is not None:
            most -= about_to_lock.num_blocks
        if num_blocks <= most or self.has(num_blocks, about_to_lock):
            return  # mostly enough even if all of the match were unlocked: no need to look
        free, evictable = self._allocator.num_free, self._tree.num_evictable_blocks
        if about_to_lock is not None:
            evictable -= about_to_lock.num_unlocked_blocks()
        if emit := self._tree.log.emit:
            emit(
                OutOfBlocks(
                    *self._tree.log.stamp(),
                    site="supply.require",
                    num_needed=num_blocks,
                    num_free=free,
                    num_evictable=evictable,
                )
            )
        raise OutOfBlocksError(
            f"{count(num_blocks, 'block')} needed, {free} free and {evictable} evictable "
            f"of {self._allocator.num_blocks}"
        )

    def has(self, num_blocks: int, about_to_lock: Found | None = None) -> bool:
        """Whether `require` would not raise (L6)."""
        free, evictable = self._allocator.num_free, self._tree.locks.num_evictable_blocks
        if about_to_lock is not None and free < num_blocks <= free + evictable:
            evictable -= about_to_lock.num_unlocked_blocks()
        return num_blocks <= free + evictable

    def take(self, num_blocks: int, after: Iterable[BlockIds] = ()) -> BlockIds:
        """Take blocks that were promised; return their ids, int32, behind those of `after` (E7).

        Evicted blocks go straight from the tree to the taker, not through the free list.
        """
        missing = num_blocks - self._allocator.num_free
        if missing <= 0:
            return joined([*after, self._allocator.pop(num_blocks)])
        runs, num_evicted = self.give_up(missing)
        if num_evicted < missing:
            self._free(runs)
            left = count(self._tree.num_evictable_blocks, "block is", "blocks are")
            raise self._broken(f"named no victim, though {left} evictable")
        return joined([*after, self._allocator.pop(num_blocks - num_evicted), *runs])

    def give_up(self, num_blocks: int) -> tuple[list[BlockIds], int]:
        """Take that many blocks (or all there are) off the policy's victims (E4).

        Returns runs of their ids, and how many these are. Nobody holds them from here on: the
        caller uses or frees them. Raises `PolicyError` if the policy names a victim that may not be
        one (L4); what went until then is free.
        """
        gone: list[BlockIds] = []
        missing, tree, evict = num_blocks, self._tree, self._evict
        policy = tree.policy
        most = getattr(policy, "max_blocks", None) or num_blocks
        try:
            while missing > 0:
                node = policy.victim()
                if node is None:
                    break
                if type(node) is not Node or node.tree is not tree or not node.evictable:
                    raise bad_trim(node, missing)
                num = missing if missing < node.num_blocks else node.num_blocks
                if num > most:
                    num = most
                gone.append(evict(node, num) if evict else tree.take_tail(node, num))
                missing -= num
        except Exception as error:
            self._free(gone)
            raise self._broken(f"failed: {type(error).__name__}: {error}") from error
        finally:
            self._counts.evicted_blocks += num_blocks - missing
        return gone, num_blocks - missing

    def _free(self, runs: list[BlockIds]) -> None:
        for block_ids in runs:
            self._allocator.free(block_ids)

    def _broken(self, what: str) -> PolicyError:
        return PolicyError(f"policy {getattr(self._tree.policy, 'name', self._tree.policy)} {what}")
