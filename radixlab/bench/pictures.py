"""Pictures of a cache after a replay, as files; what would stop them shows before the replay.

It knows files and `radixlab.viz`, which is imported only if a picture is wanted.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from radixlab.bench.replay_report import PolicyRun
from radixlab.cache import KVCacheManager
from radixlab.extras import what_to_install


class PictureError(ValueError):
    """A picture that cannot be drawn here; the message says what is missing."""


def picture_writer(dot: Path | None, png: Path | None) -> Callable[[KVCacheManager], None]:
    """Return what writes the pictures of a cache that are wanted, maybe none.

    Raises `PictureError` without the packages that draw, and `OSError` for a file that cannot be
    written: now, not after minutes of work.
    """
    if not (dot or png):
        return lambda manager: None
    try:
        from radixlab.observe import State, snapshot
        from radixlab.viz import save_dot, save_png, still

        if png:
            still(State(num_blocks=1, block_size=1))  # what is missing may show only when drawing
    except ImportError as error:
        raise PictureError(f"no picture: {what_to_install(error) or error}") from None
    for path in filter(None, (dot, png)):
        require_writable(path)

    def write(manager: KVCacheManager) -> None:
        state = snapshot(manager)
        if dot:
            save_dot(state, dot)
        if png:
            save_png(state, png)

    return write


Rates = Mapping[str, Sequence[tuple[int, float]]]


def race_writer(plot: Path | None) -> Callable[[str, list[PolicyRun], Rates], None]:
    """Return what draws a race of policies to `plot`, if that is given.

    Raises `PictureError` without matplotlib, and `OSError` for a file that cannot be written.
    """
    if plot is None:
        return lambda title, runs, by_pool: None
    try:
        from radixlab.viz.race import draw_race
    except ImportError as error:
        raise PictureError(f"no picture: {what_to_install(error) or error}") from None
    require_writable(plot)

    def write(title: str, runs: list[PolicyRun], by_pool: Rates) -> None:
        by_request = {run.policy: run.result.by_request for run in runs}
        draw_race(by_request, by_pool, title).savefig(plot)

    return write


def require_writable(path: Path) -> None:
    """Raise the `OSError` now that writing `path` would raise later; leave nothing behind."""
    existed = path.exists()
    with open(path, "ab"):
        pass
    if not existed:
        path.unlink()
