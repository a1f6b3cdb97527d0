"""A decode plan prepared for torch on a CPU: long spans get their own call, short ones share one.

A torch call costs as much as reading a few hundred keys. Therefore the short spans of single
sequences are gathered into one batch, `[n, longest]` tokens, and attended in one call. Shorter rows
are padded, and the padding is masked. A long span, or one that several sequences read, has its own
call.

This file knows plans and sizes. It does not compute.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from radixlab.attention.plan import DecodePlan, IntArray

MAX_SPAN_NUMBERS = 2**16
"""A span whose keys hold more numbers than this gets its own call."""
MAX_BATCH_NUMBERS = 2**18
"""Most numbers in one gathered batch, so that it stays in the processor's cache."""


@dataclass(frozen=True, slots=True)
class OneSpan:
    """A span that gets its own call."""

    rows: Tensor
    """int64 `[S]`: the queries that read it, as rows of the caller's batch."""
    blocks: slice | Tensor
    num_tokens: int


@dataclass(frozen=True, slots=True)
class ManySpans:
    """n short spans with one query each, padded to T tokens."""

    rows: Tensor | None
    """int64 `[n]`: the row of each query in the caller's batch; None for all rows, in order."""
    tokens: Tensor
    """int64 `[n · T]`: slots in the pool; padding repeats the span's first slot."""
    mask: Tensor | None
    """fp32 `[n, 1, 1, T]`: -inf at padding; None if there is no padding."""


@dataclass(frozen=True, slots=True)
class Work:
    """A plan, prepared once per step for all layers.

    The *parts* (partial results) of the spans come first, then the parts of the batches.
    """

    spans: list[OneSpan]
    batches: list[ManySpans]
    row_of_part: Tensor | None
    """int64 `[num_parts]`: the caller's row of each part; None if each row has exactly one part."""
    part_of_row: Tensor | None
    """int64 `[B]`: the part of each row, if each row has one; None if the parts are in order."""


def prepare(plan: DecodePlan, width: int) -> Work:
    """Prepare a plan for pools whose keys have `width` numbers per token."""
    short = (plan.num_queries == 1) & (plan.num_tokens <= MAX_SPAN_NUMBERS // width)
    alone = np.flatnonzero(~short).tolist()
    classes = length_classes(plan.num_tokens, np.flatnonzero(short), MAX_BATCH_NUMBERS // width)
    first = plan.first_query
    end = first + plan.num_queries
    rows = [plan.order[first[span] : end[span]] for span in alone]
    rows += [plan.order[first[group]] for group in classes]
    spans = [
        OneSpan(_index(of_span), where(plan.blocks_of(span)), int(plan.num_tokens[span]))
        for span, of_span in zip(alone, rows, strict=False)
    ]
    batches = [
        _together(plan, group, None if _is_all(of_group, plan) else _index(of_group))
        for group, of_group in zip(classes, rows[len(alone) :], strict=True)
    ]
    row_of_part = np.concatenate(rows) if rows else plan.order
    if _is_all(row_of_part, plan):
        return Work(spans, batches, None, None)
    if len(row_of_part) == len(plan.order):  # every row occurs, so each occurs exactly once
        return Work(spans, batches, None, _index(np.argsort(row_of_part)))
    return Work(spans, batches, _index(row_of_part), None)


def length_classes(
    lengths: IntArray, spans: npt.NDArray[np.integer], max_tokens: int
) -> list[list[int]]:
    """Group spans of similar length; a padded group has at most `max_tokens` tokens.

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


def _together(plan: DecodePlan, spans: list[int], rows: Tensor | None) -> ManySpans:
    lengths = plan.num_tokens[spans]
    size = plan.block_size
    token = np.arange(lengths.max())  # [T]
    missing = token >= lengths[:, None]  # [n, T]
    token = np.where(missing, 0, token)
    block = plan.block_ids[plan.first_block[spans][:, None] + token // size]
    slots = block.astype(np.int64) * size + token % size
    mask = None
    if missing.any():
        mask = torch.zeros(missing.shape).masked_fill_(torch.from_numpy(missing), -torch.inf)
        mask = mask[:, None, None]
    return ManySpans(rows, torch.from_numpy(slots.ravel()), mask)


def where(block_ids: IntArray) -> slice | Tensor:
    """Return consecutive block ids as a slice, which gives a view; return others as a tensor."""
    first = int(block_ids[0])
    count = len(block_ids)
    if int(block_ids[-1]) - first == count - 1 and bool((np.diff(block_ids) == 1).all()):
        return slice(first, first + count)
    return torch.from_numpy(block_ids.astype(np.int64))


def _is_all(rows: IntArray, plan: DecodePlan) -> bool:
    """Whether these are the rows of the caller's batch, in order."""
    return np.array_equal(rows, np.arange(len(plan.order)))


def _index(numbers: npt.NDArray[np.integer]) -> Tensor:
    return torch.from_numpy(numbers.astype(np.int64))
