"""Which query reads which blocks: the plan of a decode step, made once for all layers.

A *span* is a run of KV tokens and the queries that read it. Attention over a span gives each of its
queries a *part*, a partial result; `merge` combines the parts of a query. So one idea covers both
plans:

- `flat_plan`: one span per sequence, as in PagedAttention;
- `tree_plan` (sharing.py): one span per radix-tree node that is worth sharing, read once for all
  sequences below it, and one span per sequence for the tokens that it does not share.

This file knows block tables. It does not know the tree, tensors, heads or devices.
"""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from radixlab.attention.errors import AttentionError

IntArray = npt.NDArray[np.int32]
T = TypeVar("T")
ARRAYS = ("order", "block_ids", "first_block", "num_tokens", "first_query", "num_queries")
"""The arrays of a plan. The plan owns them: it copies what the caller passes."""


@dataclass(slots=True, eq=False)
class DecodePlan:
    """The spans of a decode step. All arrays are int32.

    The *rank* of a query is its index in depth-first order; `order` maps ranks to rows of the
    caller's batch. Span s has the parts `[first_part[s], first_part[s] + num_queries[s])`, one for
    each of its queries, in the order of their ranks.
    """

    order: IntArray
    """`[num_queries]`: the caller's row of each rank."""
    block_ids: IntArray
    """`[num_listed_blocks]`: the blocks of all spans, concatenated."""
    first_block: IntArray
    """`[num_spans]`: the index in `block_ids` of each span's first block."""
    num_tokens: IntArray
    """`[num_spans]`: KV tokens of each span; its last block may be partly filled."""
    first_query: IntArray
    """`[num_spans]`: the lowest rank that reads each span."""
    num_queries: IntArray
    """`[num_spans]`: how many consecutive ranks read each span, from `first_query` on."""
    block_size: int
    _made: dict[Hashable, Any] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        self.block_size = as_count("block_size", self.block_size)
        for name in ARRAYS:
            setattr(self, name, as_ints(name, getattr(self, name), ndim=1))
        for name in ("first_block", "first_query", "num_queries"):
            if len(getattr(self, name)) != self.num_spans:
                raise AttentionError(
                    f"{name} has {len(getattr(self, name))} entries, num_tokens has "
                    f"{self.num_spans}: both need one entry per span"
                )

    @property
    def num_spans(self) -> int:
        """The number of spans."""
        return len(self.num_tokens)

    @property
    def first_part(self) -> IntArray:
        """`[num_spans + 1]`: the first part of each span; the last entry is the number of parts."""
        return starts(self.num_queries)

    @property
    def rank_of_part(self) -> IntArray:
        """`[num_parts]`: the rank of the query that each part belongs to."""
        span = np.repeat(np.arange(self.num_spans), self.num_queries)
        offset = np.arange(len(span)) - self.first_part[span]
        return (self.first_query[span] + offset).astype(np.int32)

    def parts_by_rank(self) -> tuple[IntArray, IntArray]:
        """Return `(starts [num_queries + 1], parts [num_parts])`: the parts of each rank."""
        query = self.rank_of_part
        parts = np.argsort(query, kind="stable").astype(np.int32)
        return starts(np.bincount(query, minlength=len(self.order))), parts

    def blocks_of(self, span: int) -> IntArray:
        """Return the blocks of one span, `[ceil(num_tokens / block_size)]`, without a copy."""
        start = self.first_block[span]
        num_blocks = -(-self.num_tokens[span] // self.block_size)
        return self.block_ids[start : start + num_blocks]

    @property
    def kv_tokens_read(self) -> int:
        """KV tokens that one layer reads in this step; a tree plan reads fewer."""
        return int(self.num_tokens.sum())

    def once(self, what: Hashable, make: Callable[[], T]) -> T:
        """Return the result of `make`, which runs once for all layers of the step.

        >>> plan = flat_plan(np.array([[3, 5]]), np.array([6]), block_size=4)
        >>> [plan.once("tokens", lambda: plan.kv_tokens_read) for layer in range(2)]
        [6, 6]
        """
        return _once(self._made, what, make)

    def grown(self, block_ids: IntArray, first_block: IntArray, num_tokens: IntArray) -> None:
        """Update lengths and blocks for the next step; the queries of the spans stay the same.

        Results that `once` keeps are forgotten.
        """
        self.block_ids, self.first_block, self.num_tokens = block_ids, first_block, num_tokens
        self._made.clear()

    def chunked(self, max_tokens: int | npt.NDArray[np.integer]) -> "DecodePlan":
        """Cut spans into pieces of at most `max_tokens`, for all of them or for each.

        They are multiples of the block size. On a GPU one long span would keep a single processor
        busy while the others wait. This is split-KV, as in FlashDecoding.
        """
        if isinstance(max_tokens, np.ndarray):
            longest = as_ints("max_tokens", max_tokens, 1)
        else:
            longest = np.full(self.num_spans, as_count("max_tokens", max_tokens), np.int32)
        if len(longest) != self.num_spans:
            raise AttentionError(f"max_tokens has {len(longest)} entries, not {self.num_spans}")
        for tokens in longest[(longest < 1) | (longest % self.block_size != 0)].tolist():
            raise AttentionError(
                f"max_tokens is {tokens}: it must be a multiple of the block size, "
                f"{self.block_size}"
            )
        pieces = -(-self.num_tokens // longest)
        span = np.repeat(np.arange(self.num_spans), pieces)
        start = (np.arange(len(span)) - starts(pieces)[span]) * longest[span]
        return DecodePlan(
            self.order,
            self.block_ids,
            (self.first_block[span] + start // self.block_size).astype(np.int32),
            np.minimum(self.num_tokens[span] - start, longest[span]).astype(np.int32),
            self.first_query[span],
            self.num_queries[span],
            self.block_size,
        )


@dataclass(frozen=True, slots=True)
class PrefillPlan:
    """New tokens of many sequences, concatenated; each attends its own cached prefix too."""

    cu_q: IntArray
    """`[P + 1]`: the row of each sequence's first new token, then the number of rows."""
    block_tables: IntArray
    """`[P, max_blocks]`; entries beyond a sequence's blocks are ignored."""
    context_lens: IntArray
    """`[P]`: cached plus new tokens of each sequence."""
    _made: dict[Hashable, Any] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        for name, ndim in (("cu_q", 1), ("block_tables", 2), ("context_lens", 1)):
            object.__setattr__(self, name, as_ints(name, getattr(self, name), ndim))

    def once(self, what: Hashable, make: Callable[[], T]) -> T:
        """Return the result of `make`, which runs once for all layers of the step."""
        return _once(self._made, what, make)


def flat_plan(
    block_tables: npt.ArrayLike, context_lens: npt.ArrayLike, block_size: int
) -> DecodePlan:
    """Plan one span per sequence.

    `block_tables` is `[B, max_blocks]`; entries beyond a sequence's blocks are ignored.
    `context_lens` `[B]` counts the KV tokens that each query attends, its own token included.
    """
    block_size = as_count("block_size", block_size)
    tables = as_ints("block_tables", block_tables, 2)
    lens = as_ints("context_lens", context_lens, 1)
    if len(lens) != len(tables):
        raise AttentionError(f"block_tables has {len(tables)} rows, context_lens {len(lens)}")
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
    return DecodePlan(rows, listed, starts(num_blocks)[:-1], lens, rows, ones, block_size)


def _once(made: dict[Hashable, Any], what: Hashable, make: Callable[[], T]) -> T:
    if what not in made:
        made[what] = make()
    thing: T = made[what]
    return thing


def as_ints(name: str, values: npt.ArrayLike, ndim: int) -> IntArray:
    """Return a dense int32 copy with `ndim` dimensions; the caller may change the original.

    Raises `AttentionError` for anything but an array of ints that fit int32.

    >>> as_ints("slots", [2**40], 1)
    Traceback (most recent call last):
    ...
    radixlab.attention.errors.AttentionError: slots: 1099511627776 does not fit int32
    """
    try:
        array = np.asarray(values)
    except Exception as error:  # libraries differ, for a tensor on a GPU or a ragged list
        reason = str(error).splitlines()[0]
        raise AttentionError(f"{name} cannot be read as an array: {reason}") from None
    if array.size and array.dtype.kind not in "iu":
        raise AttentionError(f"{name} must be ints, not {array.dtype}")
    if array.ndim != ndim:
        raise AttentionError(f"{name} is {list(array.shape)}: it must have {ndim} dimensions")
    narrow: IntArray = np.array(array, np.int32, order="C")
    if array.dtype != np.int32:
        for value in array[narrow != array].tolist():
            raise AttentionError(f"{name}: {value} does not fit int32")
    return narrow


def as_count(name: str, value: object) -> int:
    """Return an int above 0; raise `AttentionError` for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
        raise AttentionError(f"{name} must be an integer above 0, not {value!r}")
    return int(value)


def starts(counts: npt.NDArray[np.integer]) -> IntArray:
    """Return the start of each of n consecutive runs, and the end of the last: `[n + 1]`.

    >>> starts(np.array([2, 0, 3]))
    array([0, 2, 2, 5], dtype=int32)
    """
    return np.concatenate((np.zeros(1, np.int32), np.cumsum(counts, dtype=np.int32)))
