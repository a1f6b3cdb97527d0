"""The sharing calculator of lesson 01: what a shared prefix saves, computed and then counted.

This file knows the arithmetic of blocks, and lets the engine confirm it. It draws one curve and one
box of sliders.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from radixlab.cache import CacheConfig, KVCacheManager
from radixlab.escape import count
from radixlab.home import is_static
from radixlab.lesson.picture import Picture


def blocks_with_sharing(num_requests: int, shared: int, own: int, block_size: int) -> int:
    """Count the blocks of requests that begin with the same `shared` tokens, by arithmetic.

    Only whole blocks are shared; each request has its own copy of the rest, even of partial blocks.

    >>> blocks_with_sharing(num_requests=3, shared=40, own=8, block_size=4)
    16
    """
    in_common = shared // block_size
    of_each = -(-(shared + own) // block_size) - in_common
    return in_common + num_requests * of_each


def blocks_without_sharing(num_requests: int, shared: int, own: int, block_size: int) -> int:
    """Count the blocks of the same requests without sharing.

    >>> blocks_without_sharing(num_requests=3, shared=40, own=8, block_size=4)
    36
    """
    return num_requests * -(-(shared + own) // block_size)


def count_blocks(num_requests: int, shared: int, own: int, block_size: int) -> int:
    """Run these requests through the engine, all at once, and count the blocks in their tables.

    >>> count_blocks(num_requests=3, shared=40, own=8, block_size=4)
    16
    """
    num_blocks = blocks_without_sharing(num_requests, shared, own, block_size)
    manager = KVCacheManager(CacheConfig(num_blocks, block_size))
    prefix = np.arange(shared, dtype=np.int32)
    for request in range(num_requests):
        tail = np.arange(own, dtype=np.int32) + shared + request * own
        sequence = manager.allocate(np.concatenate((prefix, tail)))
        manager.commit(sequence, sequence.num_tokens)
    return manager.stats().num_used_blocks


def plot_sharing(shared: int, own: int, block_size: int, most_requests: int = 32) -> Picture:
    """Draw blocks against the number of requests: without sharing, by arithmetic, as counted."""
    sizes = (shared, own, block_size)
    numbers = range(1, most_requests + 1)
    counted = {n: count_blocks(n, *sizes) for n in numbers if n == 1 or n % 4 == 0}
    without = [blocks_without_sharing(n, *sizes) for n in numbers]
    figure = Figure(figsize=(7, 3.2), dpi=144, layout="constrained")
    axes = figure.subplots()
    axes.plot(numbers, without, "--", color="#D55E00", label="without sharing")
    arithmetic = [blocks_with_sharing(n, *sizes) for n in numbers]
    axes.plot(numbers, arithmetic, color="#0072B2", label="with sharing, by arithmetic")
    points = (list(counted), list(counted.values()))
    axes.plot(*points, "o", color="#009E73", label="with sharing, counted by the engine")
    axes.set(xlabel="requests", ylabel="blocks of KV memory", xlim=(0, most_requests + 1))
    axes.set_title(f"{shared} shared + {own} own tokens, blocks of {block_size}", loc="left")
    axes.set_ylim(bottom=0)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    rows = [
        f"{n:3} request{' ' if n == 1 else 's'}: {without[n - 1]:5} → {blocks}"
        for n, blocks in counted.items()
    ]
    return Picture.of(figure, "\n".join(["blocks without → with sharing", *rows]))


@dataclass(frozen=True, slots=True)
class Sharing:
    """Block counts: without sharing, with sharing by arithmetic, and as counted."""

    without: int
    shared: int
    counted: int

    @property
    def saved(self) -> float:
        """The share of the blocks that sharing saves, in 0..1."""
        return 1 - self.shared / self.without

    @property
    def verdict(self) -> str:
        """Whether the engine's count equals the formula."""
        agrees = self.counted == self.shared
        return "the engine agrees" if agrees else f"but the engine counts {self.counted}"


_WIDTH = "560px"
_SLIDERS = [
    ("num_requests", "requests", 1, 200),
    ("shared", "shared tokens", 1, 2000),
    ("own", "own tokens", 0, 500),
    ("block_size", "block size", 1, 64),
]


class SharingCalculator:
    """Four sliders and their result; the engine also counts each new setting."""

    def __init__(
        self, num_requests: int = 8, shared: int = 400, own: int = 100, block_size: int = 16
    ) -> None:
        self.settings = {
            "num_requests": num_requests, "shared": shared, "own": own, "block_size": block_size,
        }  # fmt: skip

    def __str__(self) -> str:
        r = self.result()
        become = "becomes" if r.without == 1 else "become"
        return (
            f"{self._what()}:\n{count(r.without, 'block')} {become} {r.shared} "
            f"({r.saved:.0%} saved); {r.verdict}"
        )

    def result(self) -> "Sharing":
        """Compute the blocks by arithmetic, and have the engine count them."""
        return Sharing(
            blocks_without_sharing(**self.settings),
            blocks_with_sharing(**self.settings),
            count_blocks(**self.settings),
        )

    def to_html(self) -> str:
        """Return the result as HTML, with a bar for each count. It holds numbers only."""
        r = self.result()
        longest = max(r.without, r.shared)
        bars = _bar("without sharing", r.without, longest, "#D55E00")
        bars += _bar("with sharing", r.shared, longest, "#0072B2")
        return (
            f'<div style="max-width: {_WIDTH}; margin: 8px 0; line-height: 1.4;">'
            f'<div style="font-size: 20px; font-weight: 600;">{r.saved:.0%} saved: '
            f"{r.shared:,} {_word(r.shared, 'block')} instead of {r.without:,}</div>"
            f'<div style="margin-bottom: 8px;">{self._what()}; {r.verdict}</div>{bars}</div>'
        )

    def _what(self) -> str:
        s = self.settings
        return (
            f"{count(s['num_requests'], 'request')} of {s['shared']} shared + {s['own']} own "
            f"tokens, blocks of {s['block_size']}"
        )

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        if is_static():
            return {"text/plain": str(self)}
        return self._box()._repr_mimebundle_(**kwargs)

    def _box(self) -> Any:
        import ipywidgets as widgets

        shown = widgets.HTML(self.to_html())

        def slider(name: str, label: str, low: int, high: int) -> Any:
            def follow(change: Any) -> None:
                self.settings[name] = change["new"]
                shown.value = self.to_html()

            chosen = widgets.IntSlider(
                value=self.settings[name],
                min=low,
                max=high,
                description=label,
                continuous_update=False,
                style={"description_width": "8em"},
                layout={"width": "auto", "max_width": _WIDTH},
            )
            chosen.observe(follow, names="value")
            return chosen

        return widgets.VBox([*(slider(*row) for row in _SLIDERS), shown])


def _word(number: int, word: str) -> str:
    return word if number == 1 else f"{word}s"


def _bar(label: str, number: int, longest: int, color: str) -> str:
    """Draw one bar with its number at the end; the longest bar leaves room for it."""
    length = f"calc((100% - 14em) * {number / longest:.4f})"
    return (
        '<div style="display: flex; align-items: center; gap: 8px; margin: 3px 0;">'
        f'<span style="flex: none; width: 8em; text-align: right;">{label}</span>'
        f'<span style="flex: none; width: {length}; min-width: 2px; height: 18px; '
        f'border-radius: 2px; background: {color};"></span><b>{number:,}</b></div>'
    )
