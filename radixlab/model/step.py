"""What one forward pass computes: the new tokens of many requests, as flat arrays.

    rows   [0, num_decode)   one token each of requests that generate: read by the tree's plan
           [num_decode, T)   prompts, ragged: each request's new tokens over its cached prefix

This file knows sequences and their block tables; no tensor, model or queue.
"""

from collections.abc import Sequence as Many
from dataclasses import dataclass

import numpy as np

from radixlab.attention import DecodePlan, PlanCache, PrefillPlan
from radixlab.attention.plan import IntArray, starts
from radixlab.cache.sequence import Sequence


@dataclass(frozen=True, slots=True)
class Work:
    """Tokens `[start, end)` of a sequence, to be computed in this step.

    All before `start` is in the pool; blocks for `[start, end)` are in the sequence's table.
    """

    sequence: Sequence
    start: int
    end: int

    @property
    def is_decode(self) -> bool:
        """Whether this is the one last token of a sequence that has a context."""
        return 0 < self.start == self.end - 1 == self.sequence.num_tokens - 1


@dataclass(frozen=True, slots=True)
class Step:
    """The flat batch of a step. T rows, of which `num_decode` come first; P prompts after them."""

    token_ids: IntArray
    """`[T]`."""
    positions: IntArray
    """`[T]`: a token's place in its sequence; a cached prefix counts."""
    slots: IntArray
    """`[T]`: where a token's KV goes, block_id · block_size + offset."""
    last_row: IntArray
    """`[num_work]`: the row of each work's last token, in the order that the work was given."""
    num_decode: int
    decode: DecodePlan | None
    """Who reads which blocks, for the rows that decode; None if there are none."""
    prefill: PrefillPlan | None
    """The same for the prompts' rows, counted from the first of them; None if there are none."""


def make_step(work: Many[Work], plans: PlanCache) -> Step:
    """Lay a step's work out: first the requests that decode, then the prompts.

    `work` holds at least one item, each of at least one token and of another sequence.
    """
    is_decode = np.array([item.is_decode for item in work])
    order = np.argsort(~is_decode, kind="stable")
    items = [work[place] for place in order.tolist()]
    num_decode = int(is_decode.sum())
    decoding, prompts = items[:num_decode], items[num_decode:]
    ends = np.cumsum([item.end - item.start for item in items], dtype=np.int32)
    last_row = np.empty_like(ends)
    last_row[order] = ends - 1
    size = plans.block_size
    return Step(
        np.concatenate([item.sequence.token_ids[item.start : item.end] for item in items]),
        np.concatenate([np.arange(item.start, item.end, dtype=np.int32) for item in items]),
        np.concatenate([item.sequence.slots(item.start, item.end, size) for item in items]),
        last_row,
        num_decode,
        plans.plan([item.sequence for item in decoding]) if decoding else None,
        _prefill_plan(prompts) if prompts else None,
    )


def _prefill_plan(prompts: Many[Work]) -> PrefillPlan:
    return PrefillPlan(
        starts(np.array([item.end - item.start for item in prompts])),
        _padded([item.sequence.block_table for item in prompts]),
        np.array([item.end for item in prompts], np.int32),
    )


def _padded(tables: list[IntArray]) -> IntArray:
    """Put block tables into one array `[n, longest]`."""
    padded = np.zeros((len(tables), max(map(len, tables))), np.int32)
    for row, table in enumerate(tables):
        padded[row, : len(table)] = table
    return padded
