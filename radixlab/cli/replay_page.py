"""`radixlab replay --html`: a recording, or a run of a trace, as one page that plays it offline.

It knows what may be turned into a page. `radixlab.viz`, which makes it, is imported only if a page
is wanted.
"""

import re
import warnings
from collections.abc import Sequence
from pathlib import Path

import click

from radixlab.bench.pictures import PictureError, require_writable
from radixlab.bench.replay_runs import Entrant
from radixlab.cache import KVCacheManager
from radixlab.cli.shared import progress
from radixlab.config import CacheConfig
from radixlab.events import Event
from radixlab.extras import what_to_install
from radixlab.observe import RecordingWarning, State, attach, read_recording, snapshot
from radixlab.workloads import Manager, Workload

_HEADER = re.compile(rb'\s*\{\s*"type"\s*:\s*"Recording"')


def is_recording(trace: str) -> bool:
    """Whether a file begins as a `Recorder` writes it."""
    path = Path(trace)
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return _HEADER.match(file.read(200)) is not None


def save_recording(context: click.Context, recording: str, html: Path | None) -> None:
    """Write the page of a recording; no cache is run, so other options have no effect."""
    if html is None:
        raise click.UsageError(f"{recording} is a recording, not a trace: add --html FILE.html")
    for parameter in context.command.params:
        name = parameter.name or ""
        given = context.get_parameter_source(name) == click.core.ParameterSource.COMMANDLINE
        if given and name not in ("trace", "html"):
            raise click.UsageError(f"{parameter.opts[0]} has no effect on a recording")
    require_page(html)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", RecordingWarning)
        state, events = read_recording(recording)
        _save(html, state, list(events), Path(recording).name)
    for warning in caught:
        click.echo(f"note: {warning.message}", err=True)


def save_run(field: Sequence[Entrant], config: CacheConfig, workload: Workload, html: Path) -> None:
    """Run the first policy that has a tree once more, recorded, and write its page."""
    events: list[Event] = []
    start: list[State] = []

    def begin(manager: Manager) -> None:
        if isinstance(manager, KVCacheManager):
            start.append(snapshot(manager))
            attach(manager, events.append)

    entrant = next((each for each in field if each.name != "naive"), field[0])
    with progress(workload.num_requests, f"{entrant.name}, for the page", "request") as advance:
        run, _ = entrant.run(config, workload, advance, begin)
    if not start:
        raise PictureError(f"no page: {run.fault or 'the naive manager has no tree'}")
    _save(html, start[0], events, f"{workload.name}, {entrant.name}, {config.num_blocks:,} blocks")


def require_page(html: Path) -> None:
    """Raise `PictureError` without the packages that a page needs, `OSError` for a bad path."""
    try:
        import radixlab.viz.page  # noqa: F401  # only whether it is there
    except ImportError as error:
        raise PictureError(f"no page: {what_to_install(error) or error}") from None
    require_writable(html)


def _save(html: Path, state: State, events: list[Event], title: str) -> None:
    from radixlab.viz.page import save_page, whole_recording

    click.echo(save_page(html, whole_recording(state, events, title=title)), err=True)
