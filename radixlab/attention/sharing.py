"""Plans from the radix tree: each shared prefix is read once for all the sequences below it.

Depth-first order makes the sequences below a node neighbours, so the queries of a span have
consecutive ranks. Reading a shared prefix once is a published idea (Hydragen, arXiv 2402.05099;
ChunkAttention, 2402.15220; DeFT, 2404.00242; FlashInfer's cascade, 2501.01005). Here the cache's
own tree supplies the levels.

Little changes between two decode steps: every sequence grows by a token, and sometimes by a block.
`PlanCache` notices that the running part of the tree is unchanged, and updates only lengths and
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
    """Plan one span per node that is worth sharing, and one for the rest of each sequence.

    `group_size` is the number of query heads per KV head. The cost is a few operations per sequence
    and per node above the running sequences.
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
    >>> plans.plan(running).num_tokens.tolist()  # 40 tokens are read once for all three
    [40, 1, 1, 1]
    >>> _ = manager.append(running[0], [7])
    >>> plans.plan(running).num_tokens.tolist(), plans.num_built
    ([40, 2, 1, 1], 1)
    """

    def __init__(self, block_size: int, group_size: int = 1) -> None:
        self.block_size = as_count("block_size", block_size)
        self.group_size = as_count("group_size", group_size)
        self.num_built = 0
        """How often the layout was built."""
        self._layout: Layout | None = None
        self._plan: DecodePlan | None = None

    def plan(self, sequences: Many[Sequence]) -> DecodePlan:
        """Return the plan of this step.

        If the last step's layout still holds, this is the same plan, updated. Raises
        `AttentionError` for a sequence that was released.
        """
        ends = [_attended(sequence, self.block_size) for sequence in sequences]
        lens = np.fromiter((s.tokens.num_tokens for s in sequences), np.int32, len(sequences))
        if self._layout and self._plan and self._layout.holds(ends, lens):
            self._plan.grown(*self._layout.fill(sequences, lens))
            return self._plan
        layout = _Builder(self.block_size, self.group_size, ends, lens).layout()
        plan = layout.plan(sequences, lens)
        self._layout, self._plan = layout, plan  # both or neither: a fault may come before
        self.num_built += 1
        return plan


def _attended(sequence: Sequence, block_size: int) -> Node:
    """Return the deepest node that a sequence attends wholly: a fork may end inside a node."""
    receipt = sequence.receipt
    num_tokens = sequence.tokens.num_tokens
    if receipt.released:
        raise AttentionError(f"sequence {sequence.id} was released: it no longer holds its blocks")
    node: Node = receipt.node
    while node.end * block_size > num_tokens and node.parent:
        node = node.parent
    return node


@dataclass(frozen=True, slots=True)
class Layout:
    """Which sequences share which nodes: a plan without the lengths of the unshared spans.

    A *parting* is a shared node at which the paths of its readers diverge or end.
    """

    block_size: int
    order: IntArray
    """`[B]`: the row of each rank."""
    spans: IntArray
    """`[4, num_spans]`: lowest rank, number of readers, first block, end block. The end is 0 for
    the unshared span of a single sequence, which grows."""
    partings: list[tuple[Node, int, Node]]
    """Each parting, its end in blocks, and the next parting (or root) above it."""
    above: list[Node]
    """By row: the deepest parting (or root) on its path."""
    covered: IntArray
    """`[B]`, by row: its tokens that lie in shared spans."""
    has_own: npt.NDArray[np.bool_]
    """`[B]`, by row: whether it has tokens beyond these."""

    def holds(self, ends: list[Node], lens: IntArray) -> bool:
        """Whether the layout still describes the running part of the tree.

        It does if the climb from every sequence and every parting reaches the same parting as
        before, and no two climbs meet on the way. Then the same readers share the same prefixes.
        Nodes in between may have been split, lengthened or inserted.
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
        ranks, readers = self.spans[:2]
        block_ids, first_block, num_tokens = self.fill(sequences, lens)
        return DecodePlan(
            self.order, block_ids, first_block, num_tokens, ranks, readers, self.block_size
        )

    def fill(
        self, sequences: Many[Sequence], lens: IntArray
    ) -> tuple[IntArray, IntArray, IntArray]:
        """Return the current `block_ids`, `first_block` and `num_tokens` of the spans."""
        ranks, _, start, end = self.spans
        rows = self.order[ranks]
        last_token = np.where(end, end * self.block_size, lens[rows])
        stop = -(-last_token // self.block_size)
        runs = [
            sequences[row].block_table[first:last]
            for row, first, last in zip(rows.tolist(), start.tolist(), stop.tolist(), strict=True)
        ]
        block_ids = np.concatenate(runs) if runs else np.empty(0, np.int32)
        return block_ids, starts(stop - start)[:-1], last_token - start * self.block_size


def _climb(node: Node, goal: Node, met: set[Node]) -> bool:
    """Whether a path leads from `node` up to `goal` and avoids `met`; add its nodes to `met`."""
    while node is not goal:
        if node in met or node.parent is None:
            return False
        met.add(node)
        node = node.parent
    return True


class _Builder:
    """Builds the layout: walks the part of the tree above the running sequences, depth first."""

    def __init__(self, block_size: int, group_size: int, ends: list[Node], lens: IntArray) -> None:
        self.block_size = block_size
        self.group_size = group_size
        self.lens = lens
        self.num_tokens: list[int] = lens.tolist()
        self.rows: dict[Node, list[int]] = {}
        """The rows whose path ends at a node."""
        self.children: dict[Node, list[Node]] = {}
        """By node of the walked part: those of its children that belong to the part too."""
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
            rows = self.rows.get(node, [])
            children = self.children[node]
            if len(children) == 1 and not rows:  # no paths diverge here: one span with the child
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
        """Add a node and its ancestors to the walked part, up to the first that it has already."""
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
        """Count the rows at or below each node of the walked part."""
        nodes = list(self.roots)
        for node in nodes:  # the list grows in the loop: parents come before children
            nodes += self.children[node]
        readers: dict[Node, int] = {}
        for node in reversed(nodes):
            count = len(self.rows.get(node, ()))
            for child in self.children[node]:
                count += readers[child]
            readers[node] = count
        return readers

    def _pays(self, num_tokens: int, num_readers: int) -> bool:
        """Whether reading a span of T tokens once for S readers saves more than its parts cost.

        Per KV head and channel, sharing saves (S-1)·T keys and as many values. It writes and later
        reads back S·G partial results in fp32, for G query heads per KV head. The tokens of a node
        that does not pay go into the spans of its children.
        """
        return num_tokens * (num_readers - 1) > 2 * self.group_size * num_readers

    def _end(self, rows: list[int], start: int, above: Node) -> None:
        """Give rows the next ranks, and spans for the tokens that no shared span covers."""
        covered = start * self.block_size
        for row in rows:
            self.above[row] = above
            self.covered[row] = covered
            if self.num_tokens[row] > covered:
                self.spans.append((len(self.order), 1, start, 0))
            self.order.append(row)
