"""Which query reads which blocks: the work of a decode step, made once for all layers.

A *span* is a run of KV tokens and the queries that read it. Attention over a span gives each of its
queries a partial result; `merge` puts a query's partials together. So one idea covers both plans:

- `flat_plan`: one span per sequence, as in PagedAttention;
- `tree_plan` (sharing.py): one span per node of the radix tree that is worth it, read once for all
  the sequences below it, and one for what each sequence has to itself.

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
"""The arrays of a plan; it owns them, whatever they were made from."""


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
    _made: dict[Hashable, Any] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        self.block_size = as_count("block_size", self.block_size)
        for name in ARRAYS:
            setattr(self, name, as_ints(name, getattr(self, name), ndim=1))
        for name in ("first_block", "first_query", "num_queries"):
            if len(getattr(self, name)) != self.num_spans:
                raise AttentionError(
                    f"{name} has {len(getattr(self, name))} entries, num_tokens has "
                    f"{self.num_spans}: each is for one span"
                )

    @property
    def num_spans(self) -> int:
        """How many spans there are."""
        return len(self.num_tokens)

    @property
    def first_slot(self) -> IntArray:
        """`[num_spans + 1]`: where a span's slots begin; the last entry is the number of slots."""
        return starts(self.num_queries)

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
        return starts(np.bincount(query, minlength=len(self.order))), slots

    def blocks_of(self, span: int) -> IntArray:
        """Return the blocks of one span, `[ceil(num_tokens / block_size)]`, without a copy."""
        start, tokens = self.first_block[span], self.num_tokens[span]
        return self.block_ids[start : start - (-tokens // self.block_size)]

    @property
    def kv_tokens_read(self) -> int:
        """KV tokens that one layer reads for this step: what a tree plan saves."""
        return int(self.num_tokens.sum())

    def once(self, what: Hashable, make: Callable[[], T]) -> T:
        """Return what `make` makes of this plan, made once for all layers of the step.

        >>> plan = flat_plan(np.array([[3, 5]]), np.array([6]), block_size=4)
        >>> [plan.once("tokens", lambda: plan.kv_tokens_read) for layer in range(2)]
        [6, 6]
        """
        return _once(self._made, what, make)

    def grown(self, block_ids: IntArray, first_block: IntArray, num_tokens: IntArray) -> None:
        """Put the next step's lengths and blocks in place; the queries of the spans are the same.

        What was made of the plan before is forgotten.
        """
        self.block_ids, self.first_block, self.num_tokens = block_ids, first_block, num_tokens
        self._made.clear()

    def chunked(self, max_tokens: int) -> "DecodePlan":
        """Cut spans into pieces of at most `max_tokens`, a multiple of the block size.

        On a GPU a long span would keep one processor busy while the others wait (split-KV, as in
        FlashDecoding).
        """
        if as_count("max_tokens", max_tokens) % self.block_size:
            raise AttentionError(
                f"pieces of {max_tokens} tokens do not end at blocks of {self.block_size}"
            )
        pieces = -(-self.num_tokens // max_tokens)
        span = np.repeat(np.arange(self.num_spans), pieces)
        start = (np.arange(len(span)) - starts(pieces)[span]) * max_tokens
        return DecodePlan(
            self.order,
            self.block_ids,
            (self.first_block[span] + start // self.block_size).astype(np.int32),
            np.minimum(self.num_tokens[span] - start, max_tokens).astype(np.int32),
            self.first_query[span],
            self.num_queries[span],
            self.block_size,
        )


@dataclass(frozen=True, slots=True)
class PrefillPlan:
    """New tokens of many sequences, one sequence's after the other, over what each has cached."""

    cu_q: IntArray
    """`[P + 1]`: where each sequence's new tokens begin among all."""
    block_tables: IntArray
    """`[P, max_blocks]`; what a table holds beyond its blocks does not matter."""
    context_lens: IntArray
    """`[P]`: cached and new tokens of each."""
    _made: dict[Hashable, Any] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        for name, ndim in (("cu_q", 1), ("block_tables", 2), ("context_lens", 1)):
            object.__setattr__(self, name, as_ints(name, getattr(self, name), ndim))

    def once(self, what: Hashable, make: Callable[[], T]) -> T:
        """Return what `make` makes of this plan, made once for all layers of the step."""
        return _once(self._made, what, make)


def flat_plan(
    block_tables: npt.ArrayLike, context_lens: npt.ArrayLike, block_size: int
) -> DecodePlan:
    """Plan one span per sequence.

    `block_tables` `[B, max_blocks]`, `context_lens` `[B]`: KV tokens each query attends, the one
    that it belongs to included. What a table holds beyond its blocks does not matter.
    """
    block_size = as_count("block_size", block_size)
    tables, lens = (
        as_ints("block_tables", block_tables, 2),
        as_ints("context_lens", context_lens, 1),
    )
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

    Raises `AttentionError` for what is no array of ints, or does not fit.

    >>> as_ints("slots", [2**40], 1)
    Traceback (most recent call last):
    ...
    radixlab.attention.errors.AttentionError: slots: 1099511627776 does not fit int32
    """
    try:
        array = np.asarray(values)
    except Exception as error:  # each library has its own, for a tensor on a GPU or a ragged list
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
    """Return `[n + 1]`: where each of n runs begins if they follow one another.

    >>> starts(np.array([2, 0, 3]))
    array([0, 2, 2, 5], dtype=int32)
    """
    return np.concatenate((np.zeros(1, np.int32), np.cumsum(counts, dtype=np.int32)))
