"""Which query reads which blocks: the work of a decode step, made once for all layers.

A *span* is a run of KV tokens and the queries that read it. Attention over a span gives each of its
queries a partial result; `merge` puts a query's partials together. So one idea covers both plans:

- `flat_plan`: one span per sequence, as in PagedAttention;
- `tree_plan`: one span per node of the radix tree that is worth it, read once for all the sequences
  below it, and one for what each sequence has to itself.

Depth-first order makes the sequences below a node neighbours, so a span's queries are a range. The
idea of reading a shared prefix once is published (Hydragen, arXiv 2402.05099; ChunkAttention,
2402.15220; DeFT, 2404.00242; FlashInfer's cascade, 2501.01005); here the cache's own tree supplies
the levels.

This file knows block tables and nodes. It does not know tensors, heads or devices.
"""

from collections.abc import Sequence as Many
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from radixlab.attention.errors import AttentionError
from radixlab.cache.node import Node
from radixlab.cache.sequence import Sequence

IntArray = npt.NDArray[np.int32]


@dataclass(slots=True, eq=False)
class DecodePlan:
    """The spans of a decode step. All arrays are int32.

    A query is known by its *place* in depth-first order; `order` says which row of the caller's
    batch that is. A *slot* is one query's partial result of one span: span s has the slots
    `[first_slot[s], first_slot[s] + num_queries[s])`, in the order of its queries.
    """

    order: IntArray
    """`[num_queries]`: the caller's row at each place."""
    block_ids: IntArray
    """`[num_listed_blocks]`: the blocks of all spans, one span after the other."""
    first_block: IntArray
    """`[num_spans]`: where a span's blocks begin in `block_ids`."""
    num_tokens: IntArray
    """`[num_spans]`: KV tokens of a span; its last block may be partly filled."""
    first_query: IntArray
    """`[num_spans]`: the first place that reads the span."""
    num_queries: IntArray
    """`[num_spans]`: how many places read it, from there on."""
    block_size: int

    @property
    def num_spans(self) -> int:
        """How many spans there are."""
        return len(self.num_tokens)

    @property
    def first_slot(self) -> IntArray:
        """`[num_spans + 1]`: where a span's slots begin; the last entry is the number of slots."""
        return _starts(self.num_queries)

    @property
    def query_of_slot(self) -> IntArray:
        """`[num_slots]`: the place whose partial result each slot holds."""
        span = np.repeat(np.arange(self.num_spans), self.num_queries)
        offset = np.arange(len(span)) - self.first_slot[span]
        return (self.first_query[span] + offset).astype(np.int32)

    def slots_by_query(self) -> tuple[IntArray, IntArray]:
        """Return `(starts [num_queries + 1], slots [num_slots])`: the slots of each place."""
        query = self.query_of_slot
        slots = np.argsort(query, kind="stable").astype(np.int32)
        return _starts(np.bincount(query, minlength=len(self.order))), slots

    def blocks_of(self, span: int) -> IntArray:
        """Return the blocks of one span, `[ceil(num_tokens / block_size)]`, without a copy."""
        start, tokens = self.first_block[span], self.num_tokens[span]
        return self.block_ids[start : start - (-tokens // self.block_size)]

    @property
    def kv_tokens_read(self) -> int:
        """KV tokens that one layer reads for this step: what a tree plan saves."""
        return int(self.num_tokens.sum())

    def chunked(self, max_tokens: int) -> "DecodePlan":
        """Cut spans into pieces of at most `max_tokens`, a multiple of the block size.

        On a GPU a long span would keep one processor busy while the others wait (split-KV, as in
        FlashDecoding).
        """
        if max_tokens < 1 or max_tokens % self.block_size:
            raise AttentionError(
                f"pieces of {max_tokens} tokens do not end at blocks of {self.block_size}"
            )
        pieces = -(-self.num_tokens // max_tokens)
        span = np.repeat(np.arange(self.num_spans), pieces)
        start = (np.arange(len(span)) - _starts(pieces)[span]) * max_tokens
        return DecodePlan(
            self.order,
            self.block_ids,
            (self.first_block[span] + start // self.block_size).astype(np.int32),
            np.minimum(self.num_tokens[span] - start, max_tokens).astype(np.int32),
            self.first_query[span],
            self.num_queries[span],
            self.block_size,
        )


def flat_plan(block_tables: IntArray, context_lens: IntArray, block_size: int) -> DecodePlan:
    """Plan one span per sequence.

    `block_tables` `[B, max_blocks]`, `context_lens` `[B]`: KV tokens each query attends, the one
    that it belongs to included. What a table holds beyond its blocks does not matter.
    """
    tables = np.asarray(block_tables, np.int32)
    lens = np.asarray(context_lens, np.int32)
    if tables.ndim != 2 or lens.shape != (len(tables),):
        shapes = f"{list(tables.shape)} and {list(lens.shape)}"
        raise AttentionError(f"block_tables and context_lens are [B, n] and [B], not {shapes}")
    num_blocks = -(-lens // block_size)
    if len(lens) and (lens.min() < 1 or num_blocks.max() > tables.shape[1]):
        row = int(np.argmax((lens < 1) | (num_blocks > tables.shape[1])))
        raise AttentionError(
            f"context_lens[{row}] is {lens[row]}: a table of {tables.shape[1]} blocks "
            f"holds 1 to {tables.shape[1] * block_size}"
        )
    listed = tables[np.arange(tables.shape[1]) < num_blocks[:, None]]
    rows = np.arange(len(lens), dtype=np.int32)
    ones = np.ones(len(lens), np.int32)
    return DecodePlan(rows, listed, _starts(num_blocks)[:-1], lens, rows, ones, block_size)


def tree_plan(sequences: Many[Sequence], block_size: int, group_size: int = 1) -> DecodePlan:
    """Plan one span per shared node worth it, and one for the rest of each sequence.

    `group_size` is query heads per KV head. O(B log B) for B sequences on short paths.
    """
    spans = _Spans(block_size, group_size)
    paths = [_attended_path(sequence, block_size) for sequence in sequences]
    for path in paths:
        for node in path:
            spans.readers[node.id] = spans.readers.get(node.id, 0) + 1
    keys = [[node.id for node in path] for path in paths]
    order = sorted(range(len(paths)), key=keys.__getitem__)  # depth first, as keys are paths
    for place, row in enumerate(order):
        spans.add(place, paths[row], sequences[row])
    return spans.plan(order)


class _Spans:
    """Spans while they are found, sequence by sequence in depth-first order."""

    def __init__(self, block_size: int, group_size: int) -> None:
        self.readers: dict[int, int] = {}
        """How many of the sequences attend all of a node, by its id."""
        self._block_size = block_size
        self._group_size = group_size
        self._open: list[tuple[Node, int]] = []
        """The path of the sequence before, with the first block that is in no span yet."""
        self._blocks: list[IntArray] = []
        self._rows: list[tuple[int, int, int]] = []

    def add(self, place: int, path: list[Node], sequence: Sequence) -> None:
        """Go down a path where it leaves the one before; then the rest is the sequence's own."""
        table, stack = sequence.block_table, self._open
        common = 0
        while common < min(len(stack), len(path)) and stack[common][0] is path[common]:
            common += 1
        del stack[common:]
        start = stack[-1][1] if stack else 0
        for node in path[common:]:
            num_readers = self.readers[node.id]
            if self._pays((node.end - start) * self._block_size, num_readers):
                num_tokens = (node.end - start) * self._block_size
                self._append(table[start : node.end], num_tokens, place, num_readers)
                start = node.end
            stack.append((node, start))
        rest = sequence.num_tokens - start * self._block_size
        if rest:
            stop = start - (-rest // self._block_size)
            self._append(table[start:stop], rest, place, 1)

    def _pays(self, num_tokens: int, num_readers: int) -> bool:
        """Whether reading a span once saves more bytes than its partial results cost.

        Saved per KV head and channel: (S-1)·T·2 numbers; written and read again: S·G in fp32, out
        and back. A node that does not pay goes into the spans of its children.
        """
        return num_tokens * (num_readers - 1) > 2 * self._group_size * num_readers

    def _append(self, blocks: IntArray, num_tokens: int, place: int, num_queries: int) -> None:
        self._blocks.append(blocks)
        self._rows.append((num_tokens, place, num_queries))

    def plan(self, order: list[int]) -> DecodePlan:
        """Return what was found, as arrays."""
        tokens, places, readers = np.array(self._rows, np.int32).reshape(-1, 3).T.copy()
        listed = np.concatenate(self._blocks) if self._blocks else np.empty(0, np.int32)
        first_block = _starts(np.fromiter(map(len, self._blocks), np.int32, len(self._blocks)))
        rows = np.array(order, np.int32)
        size = self._block_size
        return DecodePlan(rows, listed, first_block[:-1], tokens, places, readers, size)


def _attended_path(sequence: Sequence, block_size: int) -> list[Node]:
    """List the nodes that a sequence attends whole, from the top.

    A fork may end inside a node; then that node is not among them.
    """
    path = sequence.node.path()
    while path and path[0].end * block_size > sequence.num_tokens:
        del path[0]
    path.reverse()
    return path


def _starts(counts: npt.NDArray[np.integer]) -> IntArray:
    """Return `[n + 1]`: where each of n runs begins if they follow one another."""
    return np.concatenate((np.zeros(1, np.int32), np.cumsum(counts, dtype=np.int32)))
