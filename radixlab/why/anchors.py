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
WORD_BYTES = 8
"""Half of a window: what one multiplication takes."""
CHUNK = 8192
"""Windows that are hashed together: few enough for the processor's cache."""
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
    num_words = (len(data) - WORD_BYTES) // step + 1
    words = np.ndarray((num_words,), np.uint64, buffer=data, strides=(step,)).copy()
    ahead = WORD_BYTES // step
    most = LARGEST_KEPT if are_bytes else LARGEST_KEPT_OF_IDS
    parts = [
        _kept_of(words[start : start + CHUNK], words[start + ahead : start + ahead + CHUNK], most)
        for start in range(0, num_words - ahead, CHUNK)
    ]
    kept = parts[0] if len(parts) == 1 else np.concatenate(parts)
    while len(kept) > MOST_OF_REQUEST:
        most //= 2
        kept = kept[kept <= most]
    return kept


def _kept_of(first: Anchors, second: Anchors, most: int) -> Anchors:
    """Return the hashes of windows up to `most`, given the two halves of each window."""
    second = second[: len(first)]
    mixed: Anchors = first[: len(second)] * np.uint64(0x9E3779B97F4A7C15)
    mixed += second * np.uint64(0xC2B2AE3D27D4EB4F)
    mixed ^= mixed >> np.uint64(29)
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    few = mixed[mixed <= most + 2**32]  # what follows changes the lower 32 bits only
    few ^= few >> np.uint64(32)
    return few[few <= most]


def share_windows(text: str, other: str) -> bool:
    """Whether two long texts have passages in common, at any position; two short ones may.

    >>> share_windows("The same long text. " * 999, "Here is the same long text. " * 999)
    True
    """
    if min(len(text), len(other)) < LONG:
        return True
    ours, theirs = (set(_of_text(each).tolist()) for each in (text, other))
    return len(ours & theirs) >= LEAST_SHARED * min(len(ours), len(theirs))


def _of_text(text: str) -> Anchors:
    data = np.frombuffer(text.encode("utf-8", "surrogatepass"), np.uint8)
    return anchors_of(data, are_bytes=True)


def num_shared(anchors: Anchors, ordered: Anchors) -> int:
    """Return how many windows are among others, which are in ascending order."""
    if not len(ordered):
        return 0
    at = np.searchsorted(ordered, anchors)
    at[at == len(ordered)] = 0
    return int((ordered[at] == anchors).sum())


class AnchorTable:
    """The last request that has each window."""

    def __init__(self) -> None:
        self._last: dict[int, int] = {}

    def add(self, anchors: Anchors, number: int) -> None:
        """Note that request `number` has these windows."""
        last = self._last
        last.update(dict.fromkeys(anchors.tolist(), number))
        if len(last) > MOST_KEPT:
            newest = sorted(last.items(), key=lambda pair: pair[1])
            self._last = dict(newest[MOST_KEPT // 4 :])

    def most_alike(self, anchors: Anchors, num: int) -> list[tuple[int, int]]:
        """Return the requests that have most of these windows as the last one, and how many."""
        votes = Counter(map(self._last.get, anchors.tolist()))
        known = [(number, num_votes) for number, num_votes in votes.items() if number is not None]
        return sorted(known, key=lambda vote: (-vote[1], -vote[0]))[:num]
