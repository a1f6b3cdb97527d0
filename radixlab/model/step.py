"""What one forward pass computes: the new tokens of many requests, as flat arrays.

    rows   [0, num_decode)   one token of each generating request, attended by the tree's plan
           [num_decode, T)   prompts, ragged: each request's new tokens over its cached prefix

This file knows sequences and their block tables. It does not know tensors, models or queues.
"""

from collections.abc import Sequence as Many
from dataclasses import dataclass

import numpy as np

from radixlab.attention import DecodePlan, PlanCache, PrefillPlan
from radixlab.attention.plan import IntArray, starts
from radixlab.cache.work import Work


@dataclass(frozen=True, slots=True)
class Step:
    """The flat batch of a step: T rows, first `num_decode` decode rows, then the prompts' rows."""

    token_ids: IntArray
    """`[T]`."""
    positions: IntArray
    """`[T]`: each token's index in its sequence, counted from the start of the prefix."""
    slots: IntArray
    """`[T]`: the slot of each token's KV, block_id · block_size + offset."""
    last_row: IntArray
    """`[num_work]`: the row of the last token of each piece of work, in the caller's order."""
    num_decode: int
    decode: DecodePlan | None
    """Which blocks each decode row reads; None if there are no decode rows."""
    prefill: PrefillPlan | None
    """Which blocks the prompts read, rows counted from `num_decode`; None without prompts."""


def make_step(work: Many[Work], plans: PlanCache) -> Step:
    """Arrange the work of a step: first the requests that decode, then the prompts.

    `work` has at least one item. Each item has at least one token, and its own sequence.
    """
    is_decode = [item.is_decode for item in work]
    num_decode = sum(is_decode)
    size = plans.block_size
    order = sorted(range(len(work)), key=is_decode.__getitem__, reverse=True)  # stable
    items = [work[index] for index in order]
    decoding = items[:num_decode]
    prompts = items[num_decode:]
    ends = np.cumsum([item.end - item.start for item in items], dtype=np.int32)
    last_row = np.empty_like(ends)
    last_row[order] = ends - 1
    parts = [_last_tokens(decoding, size)] if decoding else []
    parts += [_tokens(item, size) for item in prompts]
    token_ids, positions, slots = map(np.concatenate, zip(*parts, strict=True))
    return Step(
        token_ids,
        positions,
        slots,
        last_row,
        num_decode,
        plans.plan([item.sequence for item in decoding]) if decoding else None,
        _prefill_plan(prompts) if prompts else None,
    )


def _last_tokens(decoding: Many[Work], block_size: int) -> tuple[IntArray, IntArray, IntArray]:
    """Return the token ids, positions and slots of the last tokens, one per item."""
    positions = [item.start for item in decoding]
    token_ids = [item.sequence.token_ids[item.start] for item in decoding]
    slots = [
        int(item.sequence.block_table[position // block_size]) * block_size + position % block_size
        for item, position in zip(decoding, positions, strict=True)
    ]
    return np.array(token_ids, np.int32), np.array(positions, np.int32), np.array(slots)


def _tokens(item: Work, block_size: int) -> tuple[IntArray, IntArray, IntArray]:
    """Return the token ids, positions and slots of a prompt's new tokens."""
    start = item.start
    end = item.end
    return (
        item.sequence.token_ids[start:end],
        np.arange(start, end, dtype=np.int32),
        item.sequence.slots(start, end, block_size),
    )


def _prefill_plan(prompts: Many[Work]) -> PrefillPlan:
    return PrefillPlan(
        starts(np.array([item.end - item.start for item in prompts])),
        _padded([item.sequence.block_table for item in prompts]),
        np.array([item.end for item in prompts], np.int32),
    )


def _padded(tables: list[IntArray]) -> IntArray:
    """Copy block tables into one array `[n, longest]`, padded with 0."""
    padded = np.zeros((len(tables), max(map(len, tables))), np.int32)
    for row, table in enumerate(tables):
        padded[row, : len(table)] = table
    return padded
