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
from radixlab.model.work import Work


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
    is_decode = [item.is_decode for item in work]
    num_decode, size = sum(is_decode), plans.block_size
    order = sorted(range(len(work)), key=is_decode.__getitem__, reverse=True)  # keeps ties in order
    items = [work[place] for place in order]
    decoding, prompts = items[:num_decode], items[num_decode:]
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
    """Return token ids, positions and slots of the one token of each."""
    positions = [item.start for item in decoding]
    token_ids = [item.sequence.token_ids[item.start] for item in decoding]
    slots = [
        int(item.sequence.block_table[at // block_size]) * block_size + at % block_size
        for item, at in zip(decoding, positions, strict=True)
    ]
    return np.array(token_ids, np.int32), np.array(positions, np.int32), np.array(slots)


def _tokens(item: Work, block_size: int) -> tuple[IntArray, IntArray, IntArray]:
    """Return token ids, positions and slots of the new tokens of a prompt."""
    start, end = item.start, item.end
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
    """Put block tables into one array `[n, longest]`."""
    padded = np.zeros((len(tables), max(map(len, tables))), np.int32)
    for row, table in enumerate(tables):
        padded[row, : len(table)] = table
    return padded
