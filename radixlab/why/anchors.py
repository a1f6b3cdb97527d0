"""Which earlier request has the same text somewhere else? A sample of short windows tells.

A cache finds a text only behind the same prefix. This file finds a text that an earlier request had
behind another prefix. Every window of 16 bytes gets a hash, and the windows with a small hash are
kept, about one in 16 tokens. The same text has the same windows at any position, so a request
shares windows with every earlier request that has a part of its text (Manber, "Finding similar
files", 1994; winnowing, Schleimer et al., SIGMOD 2003). White space is left out, because it may be
what differs.
"""

from collections import Counter
from typing import Any

import numpy as np
import numpy.typing as npt

WINDOW_BYTES = 16
LARGEST_KEPT = 2**58
"""One window in 2⁶ is kept, if a window begins at every byte: one in 16 tokens."""
LARGEST_KEPT_OF_IDS = 2**60
"""If a window begins at every token, as many a token."""
MOST_KEPT = 1_000_000
"""Windows of the whole log that are remembered; the oldest are forgotten first."""
MOST_OF_REQUEST = 512
"""Of a longer text, the windows with smaller hashes are kept: again the same ones everywhere."""

LONG = 4096
"""Characters from which on a text has enough sampled windows to tell."""
LEAST_SHARED = 0.05
"""Share of the sampled windows below which what two texts have in common is chance."""

Anchors = npt.NDArray[np.uint64]
_WHITE = b" \t\r\n"


def anchors_of(tokens: npt.NDArray[Any], are_bytes: bool) -> Anchors:
    """Return the hashes of the sampled windows of a stretch of tokens, in their order.

    If the tokens are four bytes of text each, a window may begin at every byte.
    """
    data = tokens.tobytes()
    if are_bytes:
        data = data.translate(None, _WHITE)
    num = len(data) - WINDOW_BYTES + 1
    if num <= 0:
        return np.empty(0, np.uint64)
    step = 1 if are_bytes else tokens.itemsize
    shape = ((num + step - 1) // step,)
    first = np.ndarray(shape, np.uint64, buffer=data, offset=0, strides=(step,))
    second = np.ndarray(shape, np.uint64, buffer=data, offset=8, strides=(step,))
    mixed: Anchors = np.multiply(first, np.uint64(0x9E3779B97F4A7C15))
    mixed += np.multiply(second, np.uint64(0xC2B2AE3D27D4EB4F))
    mixed ^= np.right_shift(mixed, np.uint64(29))
    mixed = np.multiply(mixed, np.uint64(0xBF58476D1CE4E5B9))
    mixed ^= np.right_shift(mixed, np.uint64(32))
    most = LARGEST_KEPT if are_bytes else LARGEST_KEPT_OF_IDS
    kept = mixed[mixed <= most]
    while len(kept) > MOST_OF_REQUEST:
        most //= 2
        kept = kept[kept <= most]
    return kept


def share_windows(text: str, other: str) -> bool:
    """Whether two long texts have passages in common, at any position; two short ones may.

    >>> share_windows("The same long text. " * 999, "Here is the same long text. " * 999)
    True
    """
    if min(len(text), len(other)) < LONG:
        return True
    ours, theirs = (np.unique(_of_text(each)) for each in (text, other))
    num = np.isin(ours, theirs, assume_unique=True).sum()
    return bool(num >= LEAST_SHARED * min(len(ours), len(theirs)))


def _of_text(text: str) -> Anchors:
    data = np.frombuffer(text.encode("utf-8", "surrogatepass"), np.uint8)
    return anchors_of(data, are_bytes=True)


class AnchorTable:
    """The last request that has each window."""

    def __init__(self) -> None:
        self._last: dict[int, int] = {}

    def add(self, anchors: Anchors, number: int) -> None:
        """Note that request `number` has these windows."""
        last = self._last
        for anchor in anchors.tolist():
            last.pop(anchor, None)  # so that it stands at the end, as the newest
            last[anchor] = number
        if len(last) > MOST_KEPT:
            self._last = dict(list(last.items())[MOST_KEPT // 4 :])

    def most_alike(self, anchors: Anchors, num: int) -> list[tuple[int, int]]:
        """Return the requests that have most of these windows as the last one, and how many."""
        last = self._last
        votes = Counter(last[anchor] for anchor in anchors.tolist() if anchor in last)
        return sorted(votes.items(), key=lambda vote: (-vote[1], -vote[0]))[:num]
