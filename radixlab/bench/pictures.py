"""Pictures of a replay, as files; what would stop them shows before the replay.

It knows files and `radixlab.viz`, which is imported only if a picture is wanted.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from radixlab.bench.replay_runs import PolicyRun
from radixlab.cache import KVCacheManager
from radixlab.extras import what_to_install
from radixlab.workloads import WorkloadSummary

if TYPE_CHECKING:
    from radixlab.viz.claims_plot import Dots, Lines  # with matplotlib, which may be missing


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


def race_writer(plot: Path | None) -> Callable[[str, Sequence[PolicyRun], Rates], None]:
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

    def write(title: str, runs: Sequence[PolicyRun], by_pool: Rates) -> None:
        by_request = {run.policy: run.result.by_request for run in runs if run.result}
        draw_race(by_request, by_pool, title).savefig(plot)

    return write


def reuse_writer(plot: Path | None) -> Callable[[str, WorkloadSummary], None]:
    """Return what draws the summary of a workload to `plot`, if that is given.

    Raises `PictureError` without matplotlib, and `OSError` for a file that cannot be written.
    """
    if plot is None:
        return lambda name, summary: None
    try:
        from radixlab.viz.reuse import draw_reuse
    except ImportError as error:
        raise PictureError(f"no picture: {what_to_install(error) or error}") from None
    require_writable(plot)

    def write(name: str, summary: WorkloadSummary) -> None:
        what = f"{summary.num_requests:,} requests of {Path(name).name}"
        draw_reuse({"endless": summary}, f"{what}, blocks of {summary.block_size}").savefig(plot)

    return write


def claims_writer(plot: Path | None) -> Callable[["Sequence[Dots]", "Sequence[Lines]"], None]:
    """Return what draws claims on trial to `plot`, if that is given.

    Raises `PictureError` without matplotlib, and `OSError` for a file that cannot be written.
    """
    if plot is None:
        return lambda dots, lines: None
    try:
        from radixlab.viz.claims_plot import draw_both
    except ImportError as error:
        raise PictureError(f"no picture: {what_to_install(error) or error}") from None
    require_writable(plot)
    return lambda dots, lines: draw_both(dots, lines).savefig(plot)


def require_writable(path: Path) -> None:
    """Raise the `OSError` now that writing `path` would raise later; leave nothing behind."""
    existed = path.exists()
    with open(path, "ab"):
        pass
    if not existed:
        path.unlink()
