"""The facts of a picture: the standing of every block, and counts that add up to the pool.

This file knows only the folded `State`. js/facts.js has the same rules; a golden test compares
them.
"""

from collections import Counter
from dataclasses import dataclass
from enum import IntEnum

from radixlab.observe.state import State


class Standing(IntEnum):
    """The standing of a physical block, in the order of the legend.

    A block of the host is free, on host, or an end of a transfer.
    """

    FREE = 0
    CACHED = 1
    USED = 2
    PRIVATE = 3
    SHARED = 4
    COPYING = 5
    ON_HOST = 6


@dataclass(frozen=True, slots=True)
class BlockFacts:
    """By device block id: its standing, its node, and the number of block tables that have it.

    `host` is the standing of each host block. For a tree alone, without requests, each receipt at
    or below a node counts as a block table.
    """

    standing: list[Standing]
    owner: dict[int, int]
    readers: Counter[int]
    host: list[Standing]

    def of(self, block: int, resident: bool = True) -> Standing:
        """Return a block's standing; a learner's tree may name a block that does not exist."""
        standing = self.standing if resident else self.host
        return standing[block] if 0 <= block < len(standing) else Standing.FREE


@dataclass(frozen=True, slots=True)
class Counts:
    """Blocks: `num_free + num_evictable + num_in_use` is the pool.

    A block is in use if it is in a running sequence's table, or is locked or being copied. Private
    blocks are in block tables only, not in the tree. A private block in two tables is drawn as
    shared, but is still private. `hit_rate` is in 0..1; it is None before the first request.
    """

    num_free: int
    num_evictable: int
    num_in_use: int
    num_private: int
    hit_rate: float | None
    num_on_host: int = 0
    """Host blocks that are not free."""


def block_facts(state: State) -> BlockFacts:
    """Find the standing of every block."""
    readers = _readers(state)
    nodes = [node for node in state.nodes.values() if node.resident]
    owner = {block: n.id for n in nodes for block in n.block_ids}
    locked = {block for n in nodes if n.lock_ref > 0 for block in n.block_ids}
    copying = {block for transfer in state.transfers for block in device_ends(transfer)}

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

    device = [standing(block) for block in range(state.num_blocks)]
    return BlockFacts(device, owner, readers, _host_standings(state))


def _readers(state: State) -> Counter[int]:
    if state.num_requests or state.sequences:
        return Counter(block for s in state.sequences.values() for block in s.block_table)
    locked = [node for node in state.nodes.values() if node.resident and node.lock_ref > 0]
    return Counter({block: node.lock_ref for node in locked for block in node.block_ids})


def host_facts(facts: BlockFacts) -> BlockFacts:
    """Return the facts of the host's blocks, as for a separate pool."""
    return BlockFacts(facts.host, {}, Counter(), [])


def device_ends(transfer: tuple[int, int, str]) -> tuple[int, ...]:
    """Return the ends of a transfer that are on the device."""
    src, dst, kind = transfer
    return {"write_back": (src,), "load_back": (dst,)}.get(kind, (src, dst))


def _host_standings(state: State) -> list[Standing]:
    nodes = [node for node in state.nodes.values() if not node.resident]
    standing = {block: Standing.ON_HOST for node in nodes for block in node.block_ids}
    ends = [(dst if kind == "write_back" else src, kind) for src, dst, kind in state.transfers]
    standing |= {block: Standing.COPYING for block, kind in ends if kind != "copy"}
    return [standing.get(block, Standing.FREE) for block in range(state.num_host_blocks)]


def counts(state: State, facts: BlockFacts | None = None) -> Counts:
    """Count the blocks by standing."""
    facts = facts or block_facts(state)
    tally = Counter(facts.standing)
    free, evictable = tally[Standing.FREE], tally[Standing.CACHED]
    num_prompt = state.prompt_tokens - state.resumed_prompt_tokens
    num_hit = state.hit_tokens - state.resumed_hit_tokens
    hit_rate = num_hit / num_prompt if num_prompt else None
    return Counts(
        free,
        evictable,
        state.num_blocks - free - evictable,
        sum(block not in facts.owner for block in facts.readers),
        hit_rate,
        len(facts.host) - facts.host.count(Standing.FREE),
    )
