"""What a workload is, before any cache: how much it asks, how much it shares, how soon again.

A block is used by every request whose prompt or answer has it, with all that is before it. Between
two uses of a block others are used; the *reuse distance* is the number of blocks that a least
recently used order has to keep so that the second use finds it (Mattson et al., 1970): the blocks
used since, those above it, and itself.

This file knows requests and blocks. It knows no pool and no policy.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from radixlab.cache.eviction.belady import Future
from radixlab.workloads.request import Request

STEPS = ("turn ", "step ", "thought ")
"""How the label of a request goes on, behind its session and a comma, if it builds on the last."""
QUANTILES = (0.5, 0.9, 0.99, 1.0)
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class WorkloadSummary:
    """The numbers of one workload, at one block size."""

    block_size: int
    num_requests: int
    num_sessions: int | None
    """Conversations, agents or problems whose requests build on each other; None where the labels
    of the requests do not say."""
    prompt_tokens: int
    output_tokens: int
    distinct_blocks: int
    """The working set: what an endless pool holds at the end."""
    stored_blocks: int
    """Whole blocks of all prompts and answers, each as often as it occurs."""
    shared_tokens: int
    """Prompt tokens that an endless pool finds."""
    reuse_distances: Ints
    """In blocks, one for each block that is found again, rising."""

    @property
    def shared_share(self) -> float:
        """The token hit rate of an endless pool, in 0..1; 0 without requests."""
        return self.shared_tokens / self.prompt_tokens if self.prompt_tokens else 0.0

    def quantile(self, share: float) -> int | None:
        """Return the distance within which this share of the reuses lies; None without reuses.

        It is one of the distances, never a mean of two.
        """
        if not len(self.reuse_distances):
            return None
        return int(np.quantile(self.reuse_distances, share, method="inverted_cdf"))

    def found_within(self, num_blocks: int) -> float:
        """Return the share of prompt tokens whose reuse distance is at most `num_blocks`.

        This is about what LRU finds in a pool of so many blocks. It finds a little less while a
        long request holds blocks that nobody asks for again.
        """
        if not self.prompt_tokens:
            return 0.0
        num_found = int(np.searchsorted(self.reuse_distances, num_blocks, side="right"))
        return num_found * self.block_size / self.prompt_tokens


def summarize(requests: Iterable[Request], block_size: int = 16) -> WorkloadSummary:
    """Go through a workload once; blocks are told apart by a 64-bit hash of all tokens up to them.

    >>> from radixlab.workloads import GENERATORS
    >>> summary = summarize(GENERATORS["shared-prompt"](1000, 0))
    >>> summary.num_requests, summary.prompt_tokens, round(summary.shared_share, 6)
    (1000, 1315398, 0.777693)
    """
    names = Future((), block_size)
    blocks: list[npt.NDArray[np.uint64]] = []
    usable: list[int] = []
    num_prompt = num_output = 0
    sessions: set[str] = set()
    for request in requests:
        tokens = np.concatenate((request.prompt, request.output))
        whole = tokens[: len(tokens) // block_size * block_size]
        blocks.append(names.prefixes(whole, 0, names.root(request.namespace)))
        usable.append((len(request.prompt) - 1) // block_size)  # one token is always computed
        num_prompt += len(request.prompt)
        num_output += len(request.output)
        session, _, step = (request.label or "").partition(", ")
        sessions.update([session] if step.startswith(STEPS) else [])
    num_distinct, distances = _reuse(blocks, usable)
    return WorkloadSummary(
        block_size=block_size,
        num_requests=len(blocks),
        num_sessions=len(sessions) or None,
        prompt_tokens=num_prompt,
        output_tokens=num_output,
        distinct_blocks=num_distinct,
        stored_blocks=sum(map(len, blocks)),
        shared_tokens=len(distances) * block_size,
        reuse_distances=distances,
    )


def _reuse(blocks: list[npt.NDArray[np.uint64]], usable: list[int]) -> tuple[int, Ints]:
    """Return the number of distinct blocks, and the distance of each block found again, rising.

    A request is a path: whoever uses a block uses all above it. So down a path the last uses only
    get older, and blocks with equal last uses lie together.
    """
    every = np.concatenate([np.empty(0, np.uint64), *blocks])
    distinct, ids = np.unique(every, return_inverse=True)
    last_use = np.full(len(distinct), -1, np.int64)  # [num_distinct]: number of the request
    by_last_use = _PrefixSums(len(blocks))
    num_seen, start, found = 0, 0, [np.empty(0, np.int64)]
    for number, (path, num_usable) in enumerate(zip(blocks, usable, strict=True)):
        path_ids = ids[start : start + len(path)]
        start += len(path)
        before = last_use[path_ids]
        before = before[before >= 0]
        edges = np.flatnonzero(np.diff(before, prepend=-1, append=-1))
        groups = [(int(before[low]), int(high - low)) for low, high in pairwise(edges)]
        used: list[Ints] = [np.empty(0, np.int64)]
        for request, num in groups:
            num_since = num_seen - by_last_use.up_to(request)
            used.append(num_since + np.arange(1, num + 1))
        found.append(np.concatenate(used)[:num_usable])
        for request, num in groups:
            by_last_use.add(request, -num)
        by_last_use.add(number, len(path))
        num_seen += len(path) - len(before)
        last_use[path_ids] = number
    return len(distinct), np.sort(np.concatenate(found))


class _PrefixSums:
    """Numbers by index, and the sum of the first of them, both in O(log n) (Fenwick, 1994)."""

    def __init__(self, size: int) -> None:
        self._sums = [0] * (size + 1)

    def add(self, index: int, number: int) -> None:
        """Add to the number at an index."""
        index += 1
        while index < len(self._sums):
            self._sums[index] += number
            index += index & -index

    def up_to(self, index: int) -> int:
        """Return the sum of the numbers at 0 to `index`."""
        index, total = index + 1, 0
        while index:
            total += self._sums[index]
            index &= index - 1
        return total
