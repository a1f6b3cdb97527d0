"""`radixlab watch`: the prefix tree of a running engine, live, from its KV events."""

import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import click

from radixlab.cli.shared import AT_LEAST_ONE, examples
from radixlab.observe import Recorder
from radixlab.observe.kv.subscriber import NUM_BLOCKS, EventWatch, watch_events
from radixlab.observe.kv.terminal import Decode, printable, tree_lines

REFRESH_S = 0.2


@click.command(
    epilog=examples(
        "radixlab serve --kv-events 'tcp://*:5557' --kv-events-replay 'tcp://*:5558'",
        "radixlab watch tcp://127.0.0.1:5557 --replay tcp://127.0.0.1:5558",
        "radixlab watch tcp://127.0.0.1:5557 --seconds 60 --record run.jsonl",
        "radixlab watch tcp://gpu-host:5557 --replay tcp://gpu-host:5558 --once",
    )
)
@click.argument("endpoint")
@click.option("--replay", metavar="ENDPOINT", help="Where to ask for missed events.")
@click.option("--topic", default="", help="Show only events whose topic begins with this.")
@click.option(
    "--num-blocks",
    type=AT_LEAST_ONE,
    default=NUM_BLOCKS,
    show_default=True,
    help="Blocks of the pool to draw.",
)
@click.option(
    "--num-host-blocks",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Blocks to follow that are not on the device.",
)
@click.option("--block-size", type=AT_LEAST_ONE, help="Tokens of a block; learnt by default.")
@click.option(
    "--tokenizer",
    type=click.Path(exists=True, file_okay=False),
    help="Show the tokens as text, with the tokenizer in this folder.",
)
@click.option("--record", type=click.Path(dir_okay=False), help="Write a recording to this file.")
@click.option("--seconds", type=click.FloatRange(min=0), help="Stop after this time.")
@click.option("--once", is_flag=True, help="Print the tree when nothing new comes, and stop.")
@click.option(
    "--wait",
    type=click.FloatRange(min=0),
    default=2.0,
    show_default=True,
    help="Seconds to wait for the first event.",
)
def watch(
    endpoint: str,
    replay: str | None,
    topic: str,
    num_blocks: int,
    num_host_blocks: int,
    block_size: int | None,
    tokenizer: str | None,
    record: str | None,
    seconds: float | None,
    once: bool,
    wait: float,
) -> None:
    """Show the prefix tree of the engine that publishes KV events at ENDPOINT.

    The engine is a running vLLM, SGLang or radixlab. Ctrl-C ends the view.
    """
    decode = _decoder(tokenizer) if tokenizer else None
    with ExitStack() as stack:
        sizes = (num_blocks, num_host_blocks, block_size)
        watched = stack.enter_context(watch_events(endpoint, replay, topic, *sizes, wait_s=wait))
        if record:
            stack.enter_context(Recorder(watched, Path(record)))
        until = time.monotonic() + seconds if seconds is not None else None
        if once:
            _until_quiet(watched, until)
        else:
            _live(watched, until, decode)
        if once or not _is_terminal():
            click.echo("\n".join([_title(watched), *tree_lines(watched.tree, None, decode)]))


def _until_quiet(watched: EventWatch, until: float | None) -> None:
    """Poll until nothing comes for a moment, or the time is over."""
    while watched.poll(REFRESH_S) or watched.is_asking:
        if until is not None and time.monotonic() >= until:
            return


def _live(watched: EventWatch, until: float | None, decode: Decode | None) -> None:
    """Draw the tree again and again; without a terminal, only poll."""
    if not _is_terminal():
        _poll(watched, until, lambda: None)
        return
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    console = Console()

    def picture() -> Text:
        room = max(4, console.height - 3)
        return Text("\n".join([_title(watched), *tree_lines(watched.tree, room, decode)]))

    with Live(picture(), console=console, auto_refresh=False) as live:
        _poll(watched, until, lambda: live.update(picture(), refresh=True))


def _poll(watched: EventWatch, until: float | None, draw: Callable[[], None]) -> None:
    try:
        while until is None or time.monotonic() < until:
            if watched.poll(REFRESH_S):
                draw()
    except KeyboardInterrupt:
        return


def _title(watched: EventWatch) -> str:
    return printable(f"{watched.endpoint}: {watched.status()}")


def _is_terminal() -> bool:
    return sys.stdout.isatty()


def _decoder(folder: str) -> Decode:
    """Return what gives the text of token ids, by the tokenizer of a folder."""
    from radixlab.model import load_tokenizer

    decode: Decode = load_tokenizer(folder).decode
    return decode
