"""Plans from the radix tree: each shared prefix is read once for all the sequences below it.

Depth-first order makes the sequences below a node neighbours, so a span's queries are a range. The
idea of reading a shared prefix once is published (Hydragen, arXiv 2402.05099; ChunkAttention,
2402.15220; DeFT, 2404.00242; FlashInfer's cascade, 2501.01005); here the cache's own tree supplies
the levels.

Between two decode steps hardly anything changes: every sequence grows by a token, now and then by a
block. `PlanCache` sees that the running part of the tree is the same, and only fills in lengths and
blocks.

This file knows nodes and block tables. It does not know tensors or devices.
"""

from collections.abc import Sequence as Many
from dataclasses import dataclass
from itertools import chain

import numpy as np
import numpy.typing as npt

from radixlab.attention.errors import AttentionError
from radixlab.attention.plan import DecodePlan, IntArray, as_count, starts
from radixlab.cache.node import Node
from radixlab.cache.sequence import Sequence


def tree_plan(sequences: Many[Sequence], block_size: int, group_size: int = 1) -> DecodePlan:
    """Plan one span per shared node worth it, and one for the rest of each sequence.

    `group_size` is query heads per KV head. Costs a few steps per sequence and node on the way.
    """
    return PlanCache(block_size, group_size).plan(sequences)


class PlanCache:
    """The tree plan of the running sequences, kept from step to step.

    >>> from radixlab.cache import CacheConfig, KVCacheManager
    >>> manager = KVCacheManager(CacheConfig(num_blocks=64, block_size=4))
    >>> running = [manager.allocate([*range(40), 100 + i]) for i in range(3)]
    >>> for sequence in running:
    ...     manager.commit(sequence, 41)
    >>> plans = PlanCache(block_size=4)
    >>> plans.plan(running).num_tokens.tolist()  # 40 once for all three
    [40, 1, 1, 1]
    >>> _ = manager.append(running[0], [7])
    >>> plans.plan(running).num_tokens.tolist(), plans.num_built
    ([40, 2, 1, 1], 1)
    """

    def __init__(self, block_size: int, group_size: int = 1) -> None:
        self.block_size = as_count("block_size", block_size)
        self.group_size = as_count("group_size", group_size)
        self.num_built = 0
        """How often the layout was rebuilt."""
        self._layout: Layout | None = None
        self._plan: DecodePlan | None = None

    def plan(self, sequences: Many[Sequence]) -> DecodePlan:
        """Return the plan of this step: the last step's object, updated, if its queries still hold.

        Raises `AttentionError` for a sequence that was released.
        """
        ends = [_attended(sequence, self.block_size) for sequence in sequences]
        lens = np.fromiter((s.tokens.num_tokens for s in sequences), np.int32, len(sequences))
        layout, plan = self._layout, self._plan
        if layout and plan and layout.holds(ends, lens):
            plan.grown(*layout.fill(sequences, lens))
            return plan
        self._layout = layout = _Builder(self.block_size, self.group_size, ends, lens).layout()
        self.num_built += 1
        self._plan = layout.plan(sequences, lens)
        return self._plan


def _attended(sequence: Sequence, block_size: int) -> Node:
    """Return the deepest node that a sequence attends whole: a fork may end inside a node."""
    receipt, num_tokens = sequence.receipt, sequence.tokens.num_tokens
    if receipt.released:
        raise AttentionError(f"sequence {sequence.id} was released: its blocks are not its own")
    node: Node = receipt.node
    while node.end * block_size > num_tokens and node.parent:
        node = node.parent
    return node


@dataclass(frozen=True, slots=True)
class Layout:
    """Who shares what: all of a plan but the lengths of what each sequence has to itself."""

    block_size: int
    order: IntArray
    """`[B]`: the row at each place."""
    spans: IntArray
    """`[4, num_spans]`: first place, readers, first block, end block; the end is 0 for what one
    sequence has to itself."""
    partings: list[tuple[Node, int, Node]]
    """Each node where readers part, its end, and the parting (or root) above it."""
    above: list[Node]
    """By row: the lowest parting (or root) on its path."""
    covered: IntArray
    """By row, `[B]`: tokens in shared spans."""
    has_own: npt.NDArray[np.bool_]
    """By row, `[B]`: whether there are more."""

    def holds(self, ends: list[Node], lens: IntArray) -> bool:
        """Whether the running part of the tree is still the one that was planned for.

        It is if from every sequence and every parting one climbs to the same parting as before, and
        no two climbs meet on the way: then the same readers share the same prefixes. What lies
        between may have been split, lengthened or inserted.
        """
        if len(ends) != len(self.above):
            return False
        met: set[Node] = set()
        for node, end, above in self.partings:
            if node.end != end or not _climb(node, above, met):
                return False
        climbs = zip(ends, self.above, strict=True)
        if not all(node is above or _climb(node, above, met) for node, above in climbs):
            return False
        return bool(((lens > self.covered) == self.has_own).all())

    def plan(self, sequences: Many[Sequence], lens: IntArray) -> DecodePlan:
        """Return a new plan."""
        places, readers = self.spans[:2]
        block_ids, first_block, num_tokens = self.fill(sequences, lens)
        return DecodePlan(
            self.order, block_ids, first_block, num_tokens, places, readers, self.block_size
        )

    def fill(
        self, sequences: Many[Sequence], lens: IntArray
    ) -> tuple[IntArray, IntArray, IntArray]:
        """Return `block_ids`, `first_block` and `num_tokens` for the sequences as they are now."""
        places, _, start, end = self.spans
        rows = self.order[places]
        last_token = np.where(end, end * self.block_size, lens[rows])
        stop = -(-last_token // self.block_size)
        runs = [
            sequences[row].block_table[first:last]
            for row, first, last in zip(rows.tolist(), start.tolist(), stop.tolist(), strict=True)
        ]
        block_ids = np.concatenate(runs) if runs else np.empty(0, np.int32)
        return block_ids, starts(stop - start)[:-1], last_token - start * self.block_size


def _climb(node: Node, goal: Node, met: set[Node]) -> bool:
    """Whether one comes from `node` up to `goal` through nodes that were not met before."""
    while node is not goal:
        if node in met or node.parent is None:
            return False
        met.add(node)
        node = node.parent
    return True


class _Builder:
    """Finds the layout: the part of the tree above the running sequences, walked depth first."""

    def __init__(self, block_size: int, group_size: int, ends: list[Node], lens: IntArray) -> None:
        self.block_size = block_size
        self.group_size = group_size
        self.lens, self.tokens = lens, lens.tolist()
        self.rows: dict[Node, list[int]] = {}
        """The rows whose path ends at a node."""
        self.children: dict[Node, list[Node]] = {}
        """The children, of every node on the way, that are on the way too."""
        self.roots: list[Node] = []
        for row, node in enumerate(ends):
            self.rows.setdefault(node, []).append(row)
            self._join(node)
        self.order: list[int] = []
        self.spans: list[tuple[int, int, int, int]] = []
        self.partings: list[tuple[Node, int, Node]] = []
        self.above: list[Node] = list(ends)
        self.covered = [0] * len(ends)

    def layout(self) -> Layout:
        """Walk from the roots down, and return what was found."""
        readers = self._readers()
        stack = [(root, 0, root) for root in reversed(self.roots)]
        while stack:
            node, start, above = stack.pop()
            rows, children = self.rows.get(node, []), self.children[node]
            if len(children) == 1 and not rows:  # nobody parts here: one span with the child
                stack.append((children[0], start, above))
                continue
            if readers[node] > 1 and node.parent:
                self.partings.append((node, node.end, above))
                above = node
                if self._pays((node.end - start) * self.block_size, readers[node]):
                    self.spans.append((len(self.order), readers[node], start, node.end))
                    start = node.end
            self._end(rows, start, above)
            if children:
                stack += [(child, start, above) for child in reversed(children)]
        covered = np.array(self.covered, np.int32)
        has_own = self.lens > covered
        spans = np.fromiter(chain.from_iterable(self.spans), np.int32, 4 * len(self.spans))
        order = np.array(self.order, np.int32)
        by_column = spans.reshape(-1, 4).T.copy()
        return Layout(
            self.block_size, order, by_column, self.partings, self.above, covered, has_own
        )

    def _join(self, node: Node) -> None:
        """Put a node and those above it on the way, up to the first that is there already."""
        if node in self.children:
            return
        self.children[node] = []
        while node.parent is not None:
            siblings = self.children.get(node.parent)
            if siblings is not None:
                siblings.append(node)
                return
            self.children[node.parent] = [node]
            node = node.parent
        self.roots.append(node)

    def _readers(self) -> dict[Node, int]:
        """Count the rows at or below each node on the way."""
        nodes = list(self.roots)
        for node in nodes:  # grows: parents before children
            nodes += self.children[node]
        readers: dict[Node, int] = {}
        for node in reversed(nodes):
            count = len(self.rows.get(node, ()))
            for child in self.children[node]:
                count += readers[child]
            readers[node] = count
        return readers

    def _pays(self, num_tokens: int, num_readers: int) -> bool:
        """Whether reading a span once saves more bytes than its partial results cost.

        Saved per KV head and channel: (S-1)·T·2 numbers; written and read again: S·G in fp32, out
        and back. A node that does not pay goes into the spans of its children.
        """
        return num_tokens * (num_readers - 1) > 2 * self.group_size * num_readers

    def _end(self, rows: list[int], start: int, above: Node) -> None:
        """Give rows the next places, and each a span for what no shared one covers."""
        covered = start * self.block_size
        for row in rows:
            self.above[row], self.covered[row] = above, covered
            if self.tokens[row] > covered:
                self.spans.append((len(self.order), 1, start, 0))
            self.order.append(row)
