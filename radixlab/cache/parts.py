"""The parts of a cache, and how they are put together.

The tree knows which blocks hold which prefix, the allocator knows which blocks are free, and the
policy chooses the next victim. The other parts are the steps of the manager's calls, one file each.
What a cache is not configured to do (a host tier, pins, partial reuse, explanations) is on no path
of it: the part is not made, and another part gets a plainer step.
"""

from dataclasses import replace

from radixlab.cache.admission import Admission, FurtherReuse
from radixlab.cache.allocator import BlockAllocator
from radixlab.cache.commit import Commit
from radixlab.cache.cow import CopyOnWrite
from radixlab.cache.ending import Ending
from radixlab.cache.errors import CacheError
from radixlab.cache.explain import EvictionMemory
from radixlab.cache.fork import Fork
from radixlab.cache.growth import Growth
from radixlab.cache.host.tier import HostTier
from radixlab.cache.host.transfers import PendingTransfers
from radixlab.cache.owner import Owner
from radixlab.cache.partial import PartialReuse
from radixlab.cache.pins import Pins
from radixlab.cache.protocols import EvictionPolicy
from radixlab.cache.sequence import Sequence
from radixlab.cache.stats import CacheStats, Counts, cache_stats
from radixlab.cache.supply import BlockSupply, Evict
from radixlab.cache.tree import RadixTree
from radixlab.config import CacheConfig
from radixlab.escape import count
from radixlab.events import AllBlocksCleared
from radixlab.log import Log


class Parts:
    """All parts of one cache; each is made of those before it."""

    def __init__(self, config: CacheConfig, policy: EvictionPolicy | None) -> None:
        self.log = Log()
        self.counts = Counts()
        self.sequences: dict[int, Sequence] = {}
        self.owner = Owner(self.log, self.sequences)
        self.tree = RadixTree(config.block_size, policy, self.log)
        self.allocator = BlockAllocator(config.num_blocks)
        self.memory = (
            EvictionMemory(self.tree, config.num_blocks, self.counts) if config.explain else None
        )
        self._add_host(config.num_host_blocks)
        self.copies = CopyOnWrite(self.tree, self.allocator, self.transit, self.counts)
        self._add_supply(config.pin_budget_blocks)
        self._add_calls(config.partial_reuse_tokens)

    def _add_host(self, num_blocks: int) -> None:
        """Make what is under way between blocks, and the host tier if there is one."""
        host_blocks = BlockAllocator(num_blocks) if num_blocks else None
        self.transit = PendingTransfers(self.tree.locks, self.allocator, host_blocks, self.log)
        self.host: HostTier | None = None
        if host_blocks:
            self.host = HostTier(host_blocks, self.tree, self.transit, self.counts, self.memory)

    def _add_supply(self, pin_budget_blocks: int) -> None:
        """Make the source of blocks: what becomes of a victim, and who makes way for a request."""
        evict: Evict | None = self.memory.evict if self.memory else None
        if self.host:
            evict = self.host.evict
        self.supply = BlockSupply(self.tree, self.allocator, self.counts, evict)
        self.pins = Pins(self.tree, self.supply, self.counts, self.sequences, pin_budget_blocks)
        self.require = self.pins.require if pin_budget_blocks else self.supply.require

    def _add_calls(self, partial_reuse_tokens: int) -> None:
        """Make the steps of the manager's calls."""
        tree, allocator, counts, sequences = self.tree, self.allocator, self.counts, self.sequences
        further: list[FurtherReuse] = [self.host] if self.host else []
        if partial_reuse_tokens:
            further.append(PartialReuse(tree, allocator, self.copies, partial_reuse_tokens))
        self.admission = Admission(
            tree,
            self.supply,
            self.transit,
            counts,
            sequences,
            self.memory,
            self.require,
            tuple(further),
        )
        self.forks = Fork(tree, allocator, sequences, self.admission)
        self.growth = Growth(tree, allocator, self.supply, self.copies, self.transit, self.require)
        replace_host_copy = self.host.replace if self.host else None
        self.commits = Commit(tree, allocator, counts, sequences, replace_host_copy)
        self.endings = Ending(tree, allocator, counts, sequences, self.owner)

    # ---- the cache as a whole

    def evict(self, num_blocks: int) -> int:
        """Evict up to `num_blocks` blocks, whoever needs them; return how many."""
        self.pins.expire()
        gone, num_gone = self.supply.give_up(num_blocks)
        for block_ids in gone:
            self.allocator.free(block_ids)
        return num_gone

    def clear(self) -> None:
        """Empty the cache (L11).

        Raises `CacheError`, which names the obstacle, while sequences run or transfers are pending.
        """
        if self.sequences or self.transit.pending:
            running = ", ".join(map(str, list(self.sequences)[:8]))
            raise CacheError(
                f"cannot reset: {count(len(self.sequences), 'sequence runs', 'sequences run')} "
                f"({running}), "
                f"{count(len(self.transit.since(0)), 'transfer is', 'transfers are')} pending"
            )
        while self.pins:
            self.pins.drop_first()
        self.tree.clear()
        self.allocator.reset()
        if self.host:
            self.host.reset()
        if self.memory:
            self.memory.clear()
        if emit := self.log.emit:
            emit(AllBlocksCleared(*self.log.stamp(), site="parts.clear"))

    def stats(self) -> CacheStats:
        """Return the counts of blocks, by block tables, and of all calls so far (E8, T6)."""
        tables = [sequence.block_table for sequence in self.sequences.values()]
        ends = [block for run in self.transit.pending for block in run.device_blocks]
        host = self.host.allocator if self.host else None
        stats = cache_stats(self.counts, tables, ends, self.tree, self.allocator, host)
        expired = self.pins.num_expired_blocks()
        return replace(stats, num_evictable_blocks=stats.num_evictable_blocks + expired)
