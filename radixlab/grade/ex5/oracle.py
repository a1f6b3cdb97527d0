"""What a right answer is: the figures of a window, both sides of a ledger, and the sizes of a site.

A counter that has fallen began again at 0, so its increase is its new value. Increases are computed
series by series, and a series that is missing from a scrape counts as 0.
"""

from collections import Counter
from collections.abc import Sequence

from radixlab.exercise.metrics import PREFIX, samples
from radixlab.exercise.site import LEDGER, Site

Figures = tuple[float | None, float | None, float | None, float | None]
"""Reuse, blocks per request, prefix match in blocks, eviction rate."""
COUNTED = {
    "requests": "request_success_total",
    "prompt_tokens": "prompt_tokens_total",
    "generation_tokens": "generation_tokens_total",
    "cached_tokens": "prefix_cache_hits_total",
}
"""The counter behind each number of a ledger."""
_FIGURES = (
    "allocated_blocks_total",
    "reused_blocks_total",
    "evicted_blocks_total",
    "request_success_total",
    "prefix_match_blocks_sum",
    "prefix_match_blocks_count",
)
MOST_POOL = 1.5
"""The largest pool that is accepted, as a multiple of the working set."""
LEAST_QUEUE = 0.75
"""The shortest queue that is accepted, as a share of the longest one."""


class Increases:
    """How much every counter grew from one scrape to the next, by name."""

    def __init__(self, names: Sequence[str]) -> None:
        self._wanted = {PREFIX + name: name for name in names}
        self._last: dict[tuple[str, str], float] | None = None

    def add(self, text: str) -> Counter[str]:
        """Read the next scrape; return the increases since the last one, 0 at the first."""
        found = Counter[str]()
        now = {
            (self._wanted[name], repr(sorted(labels.items()))): value
            for name, labels, value in samples(text)
            if name in self._wanted
        }
        if self._last is not None:
            for series, value in now.items():
                before = self._last.get(series, 0.0)
                found[series[0]] += value - before if value >= before else value  # type: ignore[assignment]
        self._last = now
        return found


def figures(texts: Sequence[str], window: int) -> list[Figures]:
    """Return the figures after each scrape, over the last `window` intervals."""
    increases, found = Increases(_FIGURES), list[Figures]()
    by_scrape = [increases.add(text) for text in texts]
    for end in range(1, len(texts) + 1):
        total = Counter[str]()
        for one in by_scrape[max(1, end - window) : end]:
            total.update(one)
        found.append(ratios(total))
    return found


def ratios(total: Counter[str]) -> Figures:
    """Return the figures of these increases."""
    blocks = total["allocated_blocks_total"] + total["reused_blocks_total"]
    return (
        _ratio(total["reused_blocks_total"], blocks),
        _ratio(blocks, total["request_success_total"]),
        _ratio(total["prefix_match_blocks_sum"], total["prefix_match_blocks_count"]),
        _ratio(total["evicted_blocks_total"], blocks),
    )


def _ratio(part: float, whole: float) -> float | None:
    return part / whole if whole else None


def counted(texts: Sequence[str]) -> list[int]:
    """Return what the counters say happened from the first scrape to the last."""
    increases, total = Increases(list(COUNTED.values())), Counter[str]()
    for text in texts:
        total.update(increases.add(text))
    return [round(total[COUNTED[name]]) for name in LEDGER]


def working_set_blocks(site: Site) -> int:
    """Return the blocks of all documents and of the requests that run.

    A request's own blocks begin with what its document leaves over in its last, partial block.
    """
    size = site.block_size
    documents = sum(num // size for num in site.document_tokens)
    own = max(-(-(num % size + site.own_tokens) // size) for num in site.document_tokens)
    return documents + site.max_running * own


def most_waiting(site: Site) -> int:
    """Return the longest queue in which nobody waits too long."""
    return site.max_wait_ms * site.max_running // site.answer_ms
