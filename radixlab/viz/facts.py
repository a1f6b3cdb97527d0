"""What a picture says about a state: how every block stands, and counts that add up to the pool.

Knows the folded `State` only. js/facts.js has the same rules; a golden test compares them.
"""

from collections import Counter
from dataclasses import dataclass
from enum import IntEnum

from radixlab.observe.state import State


class Standing(IntEnum):
    """How a physical block stands; the order is the legend's."""

    FREE = 0
    CACHED = 1
    USED = 2
    PRIVATE = 3
    SHARED = 4
    COPYING = 5


@dataclass(frozen=True, slots=True)
class BlockFacts:
    """Per block id: its standing, the node that owns it, the number of block tables it is in."""

    standing: list[Standing]
    owner: dict[int, int]
    readers: Counter[int]

    def of(self, block: int) -> Standing:
        """Return a block's standing; a learner's tree may name a block that is not there."""
        return self.standing[block] if 0 <= block < len(self.standing) else Standing.FREE


@dataclass(frozen=True, slots=True)
class Counts:
    """Blocks: `num_free + num_evictable + num_in_use` is the pool.

    In use is what a running sequence's table holds (private ones are not in the tree); what is
    only locked, or being copied, counts there too.
    `hit_rate` is in 0..1, None before the first request.
    """

    num_free: int
    num_evictable: int
    num_in_use: int
    num_private: int
    hit_rate: float | None


def block_facts(state: State) -> BlockFacts:
    """Find the standing of every block."""
    readers = Counter(block for s in state.sequences.values() for block in s.block_table)
    owner = {block: n.id for n in state.nodes.values() for block in n.block_ids}
    locked = {block for n in state.nodes.values() if n.lock_ref > 0 for block in n.block_ids}
    copying = {block for pair in state.transfers for block in pair}

    def standing(block: int) -> Standing:
        if block in copying:
            return Standing.COPYING
        if readers[block] > 1:
            return Standing.SHARED
        if readers[block] == 1:
            return Standing.USED if block in owner else Standing.PRIVATE
        if block not in owner:
            return Standing.FREE
        return Standing.USED if block in locked else Standing.CACHED

    return BlockFacts([standing(block) for block in range(state.num_blocks)], owner, readers)


def counts(state: State, facts: BlockFacts | None = None) -> Counts:
    """Count the blocks by standing."""
    tally = Counter((facts or block_facts(state)).standing)
    free, evictable = tally[Standing.FREE], tally[Standing.CACHED]
    hit_rate = state.hit_tokens / state.prompt_tokens if state.prompt_tokens else None
    return Counts(
        free, evictable, state.num_blocks - free - evictable, tally[Standing.PRIVATE], hit_rate
    )
