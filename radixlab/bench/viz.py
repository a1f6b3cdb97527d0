"""The speed of the live view: what it costs the engine, and how fast it paints.

The engine's half runs in a real kernel, the browser's in headless Chromium. Where one of them is
missing, its rows say so and the others are measured.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from radixlab.bench.goals import Goal
from radixlab.bench.measure import spread
from radixlab.bench.report import count
from radixlab.bench.table import Cell, TableReport
from radixlab.bench.tree_report import Progress
from radixlab.bench.viz_kernel import Kernel, filled, serve
from radixlab.bench.viz_page import Bridge, blank_pages, chromium, mount, mount_pair, scrub
from radixlab.events import Event
from radixlab.extras import what_to_install
from radixlab.observe import attach, snapshot
from radixlab.observe.state import State
from radixlab.viz import PairView, Tape, compare
from radixlab.viz.event_log import EventLog

HEADER = ("what", "figure", "goal")
LIVE = "live, 200 nodes, 1,024 blocks, kernel busy"
SCRUBBED = "scrub, 1,000 nodes, 20,000 events"
HUGE = "10,000 nodes, 100,000 blocks"
TWO_RUNS = "two such runs, each with the other as a ghost"
LONG = 20_000
"""Events of the log that is scrubbed."""


def measure_viz(command: str, rounds: int | None, quick: bool, progress: Progress) -> TableReport:
    """Run the benchmark; `command` is what the report will say it was."""
    rounds = rounds or (2 if quick else 5)
    num_seeks, num_requests = (10, 200) if quick else (40, 1_000)
    rows: list[list[Cell]] = []
    with progress(5, "viz", "part") as advance, _kernel() as kernel, _pages() as pages:
        rows += _engine_rows(kernel, rounds, num_requests)
        advance()
        rows += _live_rows(kernel, pages, 2.0 if quick else 10.0, rounds)
        advance()
        rows += _page_rows(pages, SCRUBBED, _long_log(1_000, 4_096, LONG), num_seeks, rounds)
        advance()
        rows += _page_rows(pages, HUGE, _long_log(10_000, 100_000, 500), num_seeks, rounds)
        advance()
        rows += _pair_rows(pages, 10_000, 100_000, num_seeks, rounds)
        advance()
    what = (
        "The engine's rows: CPU time of a real kernel's main thread, median (min - max) of "
        f"{rounds} rounds. The browser's: headless Chromium, no GPU, a view on a blank page; a "
        "time runs until the frame is painted and laid out, the wait for it included. Live: a "
        "program hands the kernel's messages to the page instead of JupyterLab's server. "
        f"{_load()}"
    )
    return TableReport("The live view", command, what, HEADER, rows)


def _load() -> str:
    """Say how busy the machine was: the browser's times are wall time."""
    if not hasattr(os, "getloadavg"):
        return "The machine's load is not known"
    load, cores = os.getloadavg()[1], os.cpu_count() or 1
    return f"Load of the machine over five minutes: {load:.1f} on {count(cores, 'core')}"


def _engine_rows(kernel: Kernel | str, rounds: int, num_requests: int) -> list[list[Cell]]:
    names = ("a view, µs an event", "1 view ÷ none, a request", "30 views ÷ 1 view, a request")
    if isinstance(kernel, str):
        return [[name, f"not measured: {kernel}", ""] for name in names]
    event = spread(kernel.run(f"cost_of_an_event({rounds}, {num_requests})"))
    views = kernel.run(f"cost_of_views({rounds}, {num_requests})")
    one = spread(with_one / without for without, with_one, _ in views)
    many = spread(with_many / with_one for _, with_one, with_many in views)
    return [
        [names[0], event, Goal("≤", 20, 10).judge(event, rounds)],
        [names[1], one, ""],
        [names[2], many, Goal("≤", 1.5).judge(many, rounds)],
    ]


def _live_rows(
    kernel: Kernel | str, pages: Callable[[], Any] | str, seconds: float, rounds: int
) -> list[list[Cell]]:
    names = (f"{LIVE}: paints a second", "send to paint, p95 ms", "first paint, ms")
    for missing in (kernel, pages):
        if isinstance(missing, str):
            return [[name, f"not measured: {missing}", ""] for name in names]
    assert isinstance(kernel, Kernel) and not isinstance(pages, str)
    first, rates, delays = [], [], []
    for _ in range(rounds):
        page = pages()
        bridge = Bridge(page)
        _, feed = kernel.run(f"open_view(200, {1_024})", bridge.hear)
        first.append(bridge.mount(feed))
        kernel.run(f"keep_busy({seconds / rounds})", bridge.hear)
        found = bridge.delays()
        rates.append(len(found) / bridge.seconds)
        delays.append(_p95(found))
        page.close()
    paints, delay, opened = spread(rates), spread(delays), spread(first)
    return [
        [names[0], paints, Goal("≥", 25, 30).judge(paints, rounds)],
        [names[1], delay, Goal("≤", 130, 80).judge(delay, rounds)],
        [names[2], opened, Goal("≤", 150).judge(opened, rounds)],
    ]


def _page_rows(
    pages: Callable[[], Any] | str, name: str, log: EventLog, num_seeks: int, rounds: int
) -> list[list[Cell]]:
    names = (f"{name}: a frame, p95 ms", "first paint, ms")
    if isinstance(pages, str):
        return [[each, f"not measured: {pages}", ""] for each in names]
    first, frames = [], []
    for _ in range(rounds):
        page = pages()
        first.append(mount(page, log.keyframe_text(), log.recording_text({})))
        times, _ = scrub(page, num_seeks)
        frames.append(_p95(times))
        page.close()
    frame, opened = spread(frames), spread(first)
    goal = Goal("≤", 40, 16) if name == SCRUBBED else Goal("≤", 200)
    return [[names[0], frame, goal.judge(frame, rounds)], [names[1], opened, ""]]


def _pair_rows(
    pages: Callable[[], Any] | str, num_nodes: int, num_blocks: int, num_seeks: int, rounds: int
) -> list[list[Cell]]:
    """Measure two runs side by side; the second has served a tenth fewer requests before."""
    names = (f"{TWO_RUNS}: a frame, p95 ms", "first paint, ms")
    if isinstance(pages, str):
        return [[each, f"not measured: {pages}", ""] for each in names]
    pair = _two_runs(num_nodes, num_blocks, 500).pair
    first, frames = [], []
    for _ in range(rounds):
        page = pages()
        first.append(mount_pair(page, pair))
        times, _ = scrub(page, num_seeks)
        frames.append(_p95(times))
        page.close()
    frame, opened = spread(frames), spread(first)
    return [[names[0], frame, Goal("≤", 200).judge(frame, rounds)], [names[1], opened, ""]]


def _two_runs(num_nodes: int, num_blocks: int, num_events: int) -> PairView:
    """Return two runs of at least `num_events` events whose trees differ by a tenth."""
    tapes = []
    for filling, number in ((num_nodes, num_nodes), (num_nodes - num_nodes // 10, 2 * num_nodes)):
        cache = filled(filling, num_blocks)
        tape = Tape(cache, f"{filling} requests before")
        while len(tape.events) < num_events:
            serve(cache, number)
            number += 1
        tapes.append(tape)
    return compare(*tapes)


def _long_log(num_nodes: int, num_blocks: int, num_events: int) -> EventLog:
    """Return a log of `num_events` events that follow a tree of about `num_nodes` nodes."""
    cache, events = filled(num_nodes, num_blocks), list[Event]()
    start: State = snapshot(cache)
    attach(cache, events.append)
    number = num_nodes
    while len(events) < num_events:
        serve(cache, number)
        number += 1
    log = EventLog(start, max_bytes=10**9)
    log.events += events[:num_events]
    return log


def _p95(samples: list[float]) -> float:
    return sorted(samples)[int(0.95 * (len(samples) - 1))]


@contextmanager
def _kernel() -> Iterator[Kernel | str]:
    """Start a kernel, or say what is missing."""
    try:
        import ipykernel  # noqa: F401  # the kernel itself runs in another process

        kernel = Kernel()
    except ImportError as error:
        yield what_to_install(error) or str(error)
        return
    try:
        yield kernel
    finally:
        kernel.close()


@contextmanager
def _pages() -> Iterator[Callable[[], Any] | str]:
    """Start the browser, or say what is missing."""
    if chromium() is None:
        yield "Chromium is not installed"
        return
    pages = blank_pages()
    try:
        opened = pages.__enter__()
    except ImportError as error:
        yield what_to_install(error) or str(error)
        return
    try:
        yield opened
    finally:
        with suppress(Exception):  # the browser may have ended already
            pages.__exit__(None, None, None)
