"""Two habits of other engines as small subclasses of ours: what each costs in hit rate.

The engine itself trims the tail of the least recently used leaf, exactly as many blocks as are
missing, and a split stamps nothing. Here a victim goes whole (mini-sglang, SGLang), and a match
that ends inside a node also refreshes the half it did not match (SGLang, peers.md §3.3).

    python benchmarks/peer_variants.py --write benchmarks/RESULTS.md
"""

import argparse
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from radixlab.bench.report import machine_line, markdown_table, text_table, write_section
from radixlab.bench.tree import POOLS, bench_workload
from radixlab.cache import LRU, KVCacheManager
from radixlab.cache.protocols import PolicyNode
from radixlab.cache.results import BlockIds
from radixlab.cache.supply import BlockSupply
from radixlab.config import CacheConfig
from radixlab.workloads import replay


class WholeLeafSupply(BlockSupply):
    """Evicts whole leaves until there is enough; what is too much is free for the next request."""

    def take(self, num_blocks: int, after: Iterable[BlockIds] = ()) -> BlockIds:
        """Evict, free all that was evicted, and allocate what was promised."""
        for block_ids in self.give_up(num_blocks - self._allocator.num_free)[0]:
            self._allocator.free(block_ids)
        return np.concatenate([*after, self._allocator.allocate(num_blocks)])

    def give_up(self, num_blocks: int) -> tuple[list[BlockIds], int]:
        """Take victims whole, at least `num_blocks` blocks together."""
        gone: list[BlockIds] = []
        while num_blocks > 0 and (node := self._tree.policy.victim()) is not None:
            gone.append(self._tree.trim(node, node.num_blocks))
            num_blocks -= len(gone[-1])
        num_gone = sum(map(len, gone))
        self._counts.evicted_blocks += num_gone
        return gone, num_gone


class TouchesTheUnmatchedHalf(LRU):
    """A hit that split a node stamps its lower half too, as if it had been used."""

    def __init__(self) -> None:
        super().__init__()
        self._lower: PolicyNode | None = None

    def on_split(self, upper: PolicyNode, lower: PolicyNode) -> None:
        """Remember the half that was not matched, until the hit is reported."""
        self._lower = lower

    def on_hit(self, node: PolicyNode, tick: int) -> None:
        """Stamp the remembered half; its entry in the heap is stale then, so queue it again."""
        lower, self._lower = self._lower, None
        if lower is not None:
            lower.tick = tick
            if lower.evictable:
                self.on_evictable(lower)


class WholeLeafManager(KVCacheManager):
    """Ours, but a victim goes whole."""

    def __init__(self, config: CacheConfig, policy: LRU | None = None) -> None:
        super().__init__(config, policy=policy)
        self.supply.__class__ = WholeLeafSupply  # it has no fields of its own


class SGLangManager(WholeLeafManager):
    """Whole leaves, and a split that makes the unmatched half look used."""

    def __init__(self, config: CacheConfig) -> None:
        super().__init__(config, TouchesTheUnmatchedHalf())


VARIANTS = {
    "radixlab: trims the tail": KVCacheManager,
    "whole leaves (mini-sglang)": WholeLeafManager,
    "whole leaves, touches the unmatched half (SGLang)": SGLangManager,
}


def hit_rates(limit: int = 2000) -> tuple[str, list[list[str]]]:
    """Replay the trace's first requests through every variant; return its name, and the rows."""
    workload, rows = bench_workload(limit), []
    for name, make in VARIANTS.items():
        results = [replay(make(CacheConfig(pool)), workload.requests()) for pool in POOLS]
        rows.append([name, *(f"{result.token_hit_rate:.6f}" for result in results)])
    return f"{workload.num_requests:,} requests of {workload.name}", rows


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--write", type=Path, metavar="FILE", help="also write a section of FILE")
    options = parser.parse_args()
    what, rows = hit_rates()
    header = ["token hit rate", *(f"{pool:,} blocks" for pool in POOLS)]
    print(f"{what}\n\n{text_table(header, rows)}")
    if options.write:
        command = f"python benchmarks/peer_variants.py --write {options.write}"
        head = f"## Peer variants\n\n`{command}` on {machine_line()}.\n\n{what}"
        write_section(options.write, "peer variants", f"{head}\n\n{markdown_table(header, rows)}")


if __name__ == "__main__":
    main()
