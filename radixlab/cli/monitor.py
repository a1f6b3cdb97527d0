"""`radixlab monitor`: how a running server's prefix cache does, live or once."""

import json
import time
from contextlib import suppress

import click

from radixlab.cli.shared import examples
from radixlab.observe.monitor import Monitor, MonitorError, Report
from radixlab.observe.monitor.watcher import WINDOW_S

SECONDS = click.FloatRange(min=0.1, max=86_400)
INTERVAL_S = 2.0
CONFIRM_S = 2.0
"""A leak is two idle looks with blocks in use: how long `--once` waits for the second."""


@click.command(
    epilog=examples(
        "radixlab monitor http://127.0.0.1:8000",
        "radixlab monitor localhost:8000 --once",
        "radixlab monitor gpu-7:30000 --once --window 60 --json",
        "radixlab monitor gpu-7:8000 --interval 1 --json >> readings.jsonl",
    )
)
@click.argument("url")
@click.option(
    "--once", is_flag=True,
    help="Look once, report on all since the server's start, and end; with --window, look twice, "
    "that many seconds apart.",
)  # fmt: skip
@click.option("--json", "is_json", is_flag=True, help="Print one JSON object for each look.")
@click.option("--interval", type=SECONDS, help=f"Seconds between looks.  [default: {INTERVAL_S:g}]")
@click.option(
    "--window", type=SECONDS, help=f"Seconds that the figures look back.  [default: {WINDOW_S:g}]"
)
@click.option(
    "--api-key", envvar=["RADIXLAB_OPERATOR_KEY", "RADIXLAB_API_KEY"],
    help="The operator's key, or the server's only one; RADIXLAB_OPERATOR_KEY or RADIXLAB_API_KEY "
    "may hold it too.",
)  # fmt: skip
def monitor(
    url: str,
    once: bool,
    is_json: bool,
    interval: float | None,
    window: float | None,
    api_key: str | None,
) -> None:
    """Watch the prefix cache of a server: radixlab, vLLM or SGLang.

    It reads URL's page of metrics again and again, shows reuse, evictions and latencies over a
    sliding window, and ends with a diagnosis and its evidence. What an engine does not publish is
    shown as absent. Stop with Ctrl-C.
    """
    if once and interval is not None:
        raise click.UsageError("--interval says when to look again, and --once looks only once")
    watched = Monitor(url, window or WINDOW_S, api_key)
    if once:
        _show(_look_once(watched, window), is_json)
    elif is_json:
        with suppress(KeyboardInterrupt):
            _print_for_ever(watched, interval or INTERVAL_S)
    else:
        with suppress(KeyboardInterrupt):
            _live(watched, interval or INTERVAL_S)


def _look_once(watched: Monitor, window: float | None) -> Report:
    report = watched.look()
    if window is not None:
        time.sleep(window)
        return watched.look()
    return _confirmed(watched, report)


def _confirmed(watched: Monitor, report: Report) -> Report:
    """If blocks are in use and nothing runs, look again whether that stays so."""
    numbers = dict(report.figures.numbers())
    held = [numbers[name] for name in ("in_use_blocks", "usage")]
    if numbers["running"] != 0 or not any(isinstance(n, float) and n > 0 for n in held):
        return report
    time.sleep(CONFIRM_S)
    later = watched.look()
    return later if later.diagnosis.name == "leak" else report


def _show(report: Report, is_json: bool) -> None:
    if is_json:
        click.echo(json.dumps(report.as_json(), allow_nan=False))
        return
    from rich.console import Console

    from radixlab.cli.monitor_view import screen

    Console().print(screen(report))


def _print_for_ever(watched: Monitor, interval: float) -> None:
    """Print a line for each look; one that fails is told on stderr, except the first."""
    _show(watched.look(), is_json=True)
    while True:
        time.sleep(interval)
        try:
            _show(watched.look(), is_json=True)
        except MonitorError as error:
            click.echo(f"note: {error}", err=True)


def _live(watched: Monitor, interval: float) -> None:
    """Redraw one screen; while the server cannot be read, keep the last figures and say so."""
    from rich.console import Console
    from rich.live import Live

    from radixlab.cli.monitor_view import screen

    report = watched.look()
    with Live(screen(report), console=Console(), auto_refresh=False) as live:
        while True:
            time.sleep(interval)
            try:
                report, problem = watched.look(), ""
            except MonitorError as error:
                problem = str(error)
            live.update(screen(report, problem), refresh=True)
