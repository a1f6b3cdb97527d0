"""A decode plan as torch on a CPU wants it: some spans one by one, short ones many at once.

A call of torch costs as much as reading a few hundred keys. So the short spans of single sequences
are copied together, `[n, longest]` tokens, and attended in one call; what one row has less than the
longest is masked. A span that many sequences read, or a long one, has a call of its own.

This file knows plans and sizes. It does not compute.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from radixlab.attention.plan import DecodePlan, IntArray

MAX_SPAN_NUMBERS = 2**16
"""A span whose keys are more numbers than this is worth a call of its own."""
MAX_BATCH_NUMBERS = 2**18
"""What is copied together should stay in the processor's cache."""


@dataclass(frozen=True, slots=True)
class OneSpan:
    """A span as slices of places, slots and blocks."""

    places: slice
    slots: slice
    blocks: slice | Tensor
    num_tokens: int


@dataclass(frozen=True, slots=True)
class ManySpans:
    """Short spans with one query each, n of them, padded to T tokens."""

    places: Tensor
    """int64 `[n]`."""
    slots: Tensor
    """int64 `[n]`."""
    tokens: Tensor
    """int64 `[n · T]`: slots of the pool; a padded one is the span's first."""
    mask: Tensor | None
    """fp32 `[n, 1, 1, T]`: -inf for what is padded; None if nothing is."""


@dataclass(frozen=True, slots=True)
class Work:
    """A plan, made ready once a step for all layers."""

    order: Tensor | None
    """int64 `[B]`; None if the places are in the caller's order."""
    spans: list[OneSpan]
    batches: list[ManySpans]
    num_slots: int
    query_of_slot: Tensor | None
    """None if every query has one slot, in order: then nothing is to merge."""


def prepare(plan: DecodePlan, width: int) -> Work:
    """Make a plan ready for pools whose tokens have `width` numbers."""
    short = (plan.num_queries == 1) & (plan.num_tokens.astype(np.int64) * width <= MAX_SPAN_NUMBERS)
    alone = np.flatnonzero(~short).tolist()
    batches = length_classes(plan.num_tokens, np.flatnonzero(short), MAX_BATCH_NUMBERS // width)
    places, counts = plan.first_query.tolist(), plan.num_queries.tolist()
    slots, query_of_slot = plan.first_slot.tolist(), plan.query_of_slot
    spans = [
        OneSpan(
            slice(places[span], places[span] + counts[span]),
            slice(slots[span], slots[span + 1]),
            where(plan.blocks_of(span)),
            int(plan.num_tokens[span]),
        )
        for span in alone
    ]
    return Work(
        _unless_in_order(plan.order),
        spans,
        [_together(plan, np.array(batch)) for batch in batches],
        slots[-1],
        _unless_in_order(query_of_slot, len(plan.order)),
    )


def length_classes(lengths: IntArray, spans: IntArray, max_tokens: int) -> list[list[int]]:
    """Group spans of about the same length, at most `max_tokens` in a group once it is padded.

    >>> length_classes(np.array([9, 40, 10, 41, 8]), np.arange(5), max_tokens=100)
    [[4, 0, 2], [1, 3]]
    """
    groups = list[list[int]]()
    shortest = 0
    for span in spans[np.argsort(lengths[spans], kind="stable")].tolist():
        length = int(lengths[span])
        if (
            not groups
            or length > 1.25 * shortest + 8
            or length * (len(groups[-1]) + 1) > max_tokens
        ):
            groups.append([])
            shortest = length
        groups[-1].append(span)
    return groups


def _together(plan: DecodePlan, spans: IntArray) -> ManySpans:
    lengths, size = plan.num_tokens[spans], plan.block_size
    token = np.arange(lengths.max())  # [T]
    missing = token >= lengths[:, None]  # [n, T]
    token = np.where(missing, 0, token)
    block = plan.block_ids[plan.first_block[spans][:, None] + token // size]
    slots = block.astype(np.int64) * size + token % size
    mask = torch.zeros(missing.shape).masked_fill_(torch.from_numpy(missing), -torch.inf)
    return ManySpans(
        torch.from_numpy(plan.first_query[spans]).long(),
        torch.from_numpy(plan.first_slot[spans]).long(),
        torch.from_numpy(slots.ravel()),
        mask[:, None, None] if missing.any() else None,
    )


def where(block_ids: IntArray) -> slice | Tensor:
    """Return consecutive block ids as a slice, which gives a view; others as an index."""
    first, count = int(block_ids[0]), len(block_ids)
    if int(block_ids[-1]) - first == count - 1 and bool((np.diff(block_ids) == 1).all()):
        return slice(first, first + count)
    return torch.from_numpy(block_ids.astype(np.int64))


def _unless_in_order(index: IntArray, count: int | None = None) -> Tensor | None:
    """Return an index as a tensor; None if it is 0 to `count` - 1, or to its own length."""
    if np.array_equal(index, np.arange(len(index) if count is None else count)):
        return None
    return torch.from_numpy(index).long()
