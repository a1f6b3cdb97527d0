"""The sharing calculator of lesson 01: what a shared prefix saves, computed and then counted.

Knows the arithmetic of blocks and asks the engine to confirm it; knows nothing of drawings but one
curve and one box of sliders.
"""

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from radixlab.cache import CacheConfig, KVCacheManager
from radixlab.lesson.home import is_static
from radixlab.lesson.picture import Picture


def blocks_with_sharing(num_requests: int, shared: int, own: int, block_size: int) -> int:
    """Count the blocks of requests that begin with the same `shared` tokens, by arithmetic.

    Only whole blocks are shared; each request keeps the rest, partial blocks included, for itself.

    >>> blocks_with_sharing(num_requests=3, shared=40, own=8, block_size=4)
    16
    """
    in_common = shared // block_size
    of_each = -(-(shared + own) // block_size) - in_common
    return in_common + num_requests * of_each


def blocks_without_sharing(num_requests: int, shared: int, own: int, block_size: int) -> int:
    """Count the blocks of the same requests where nobody shares.

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
    rows = [f"{n:3} requests: {without[n - 1]:5} → {blocks}" for n, blocks in counted.items()]
    return Picture.of(figure, "\n".join(["blocks without → with sharing", *rows]))


class SharingCalculator:
    """Four sliders and a line that follows them; each new setting is counted by the engine too."""

    def __init__(
        self, num_requests: int = 8, shared: int = 400, own: int = 100, block_size: int = 16
    ) -> None:
        self.settings = {
            "num_requests": num_requests, "shared": shared, "own": own, "block_size": block_size,
        }  # fmt: skip

    def __str__(self) -> str:
        without = blocks_without_sharing(**self.settings)
        shared, counted = blocks_with_sharing(**self.settings), count_blocks(**self.settings)
        verdict = "the engine agrees" if counted == shared else f"but the engine counts {counted}"
        saved = f"{1 - shared / without:.0%} saved"
        s = self.settings
        return (
            f"{s['num_requests']} requests of {s['shared']} shared + {s['own']} own tokens, "
            f"blocks of {s['block_size']}: {without} blocks become {shared} ({saved}); {verdict}"
        )

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        if is_static():
            return {"text/plain": str(self)}
        return self._box()._repr_mimebundle_(**kwargs)

    def _box(self) -> Any:
        import ipywidgets as widgets

        line = widgets.Label(str(self))

        def slider(name: str, low: int, high: int) -> Any:
            def follow(change: Any) -> None:
                self.settings[name] = change["new"]
                line.value = str(self)

            chosen = widgets.IntSlider(
                value=self.settings[name],
                min=low,
                max=high,
                description=name.replace("_", " ").removeprefix("num "),
                continuous_update=False,
                style={"description_width": "6em"},
            )
            chosen.observe(follow, names="value")
            return chosen

        ranges = {"num_requests": (1, 200), "shared": (1, 2000), "own": (0, 500)}
        ranges["block_size"] = (1, 64)
        sliders = [slider(name, *bounds) for name, bounds in ranges.items()]
        return widgets.VBox([*sliders, line])
