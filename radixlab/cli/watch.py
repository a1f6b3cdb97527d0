"""`radixlab watch`: the prefix tree of a running engine, live, from its KV events."""

import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

from radixlab.cli.shared import AT_LEAST_ONE, OutputFile, examples
from radixlab.cli.watch_files import Files
from radixlab.cli.watch_view import REFRESH_S, Screen, title, warnings
from radixlab.interrupts import Interrupts, ends_as_interrupts
from radixlab.observe.kv.endpoints import MAX_LINKS
from radixlab.observe.kv.subscriber import NUM_BLOCKS, EventWatch
from radixlab.observe.kv.terminal import Decode, tree_lines

MAX_DRAWN = 10_000_000
"""The largest pool that a page draws."""

if TYPE_CHECKING:
    from radixlab.model import Tokenizer

ENGINES = """\b
What the engine must be started with:
  vllm serve MODEL --kv-events-config '{"enable_kv_cache_events": true,
    "endpoint": "tcp://*:5557", "replay_endpoint": "tcp://*:6557"}'
  python -m sglang.launch_server --model-path MODEL --kv-events-config
    '{"publisher": "zmq", "endpoint": "tcp://*:5557",
    "replay_endpoint": "tcp://*:6557"}'
  radixlab serve --kv-events 'tcp://*:5557' --kv-events-replay 'tcp://*:6557'

vLLM and SGLang add the data-parallel rank to both ports, so keep the two
ports further apart than there are ranks, and give --ranks here. The events
carry the token ids of all prompts: publish them on a private network only.

"""


@click.command(
    epilog=ENGINES
    + examples(
        "radixlab watch tcp://127.0.0.1:5557 --replay tcp://127.0.0.1:6557",
        "radixlab watch tcp://gpu-host:5557 --replay tcp://gpu-host:6557 --once",
        "radixlab watch tcp://gpu-host:5557 --replay tcp://gpu-host:6557 --ranks 4",
        "radixlab watch tcp://a:5557 tcp://b:5557 --tokenizer ./Llama-3.2-1B",
        "radixlab watch tcp://127.0.0.1:5557 --seconds 60 --html run.html",
        "radixlab watch tcp://127.0.0.1:5557 --record run.jsonl",
        "radixlab replay run.jsonl --html run.html",
    )
)
@click.argument("endpoints", nargs=-1, required=True, metavar="ENDPOINT...")
@click.option(
    "--replay",
    "replays",
    multiple=True,
    metavar="ENDPOINT",
    help="Where to ask for missed events, and for events from before the watch began. With several "
    "endpoints, give it once for each.",
)
@click.option(
    "--ranks",
    type=click.IntRange(1, MAX_LINKS),
    default=1,
    show_default=True,
    help="Number of data-parallel ranks; rank r has the given ports plus r.",
)
@click.option("--topic", default="", help="Show only events whose topic begins with this.")
@click.option(
    "--num-blocks",
    type=click.IntRange(1, MAX_DRAWN),
    default=NUM_BLOCKS,
    show_default=True,
    help="Blocks in the drawn pool: as many as the engine's pools have.",
)
@click.option(
    "--num-host-blocks",
    type=click.IntRange(0, MAX_DRAWN),
    default=0,
    show_default=True,
    help="Blocks to draw that are not on the device, such as those of a host tier.",
)
@click.option("--block-size", type=AT_LEAST_ONE, help="Tokens per block; learnt from the events.")
@click.option(
    "--tokenizer",
    type=click.Path(exists=True, file_okay=False),
    help="Show the tokens as text, with the tokenizer in this folder.",
)
@click.option("--record", type=OutputFile(), help="Write a recording of all events to this file.")
@click.option(
    "--html",
    type=OutputFile(".html", ".htm"),
    help="Write one offline page that plays the watched events.",
)
@click.option("--seconds", type=click.FloatRange(min=0), help="Stop after this many seconds.")
@click.option("--once", is_flag=True, help="Print the tree when no new events come, and stop.")
@click.option(
    "--wait",
    type=click.FloatRange(min=0),
    default=2.0,
    show_default=True,
    help="With --once: seconds to wait for the first event.",
)
def watch(
    endpoints: tuple[str, ...],
    replays: tuple[str, ...],
    ranks: int,
    topic: str,
    num_blocks: int,
    num_host_blocks: int,
    block_size: int | None,
    tokenizer: str | None,
    record: Path | None,
    html: Path | None,
    seconds: float | None,
    once: bool,
    wait: float,
) -> None:
    """Show the prefix tree of the engines that publish KV events at these endpoints.

    An engine is a running vLLM, SGLang or radixlab. Each rank and each endpoint has a tree of its
    own. A line above the tree says what is missing, lost or refused. Ctrl-C ends the view and
    completes the files.
    """
    texts = _tokenizer(tokenizer) if tokenizer else None
    decode = texts.decode if texts else None
    files = Files(record, html, texts.piece if texts else None)
    until = time.monotonic() + seconds if seconds is not None else None
    with ExitStack() as stack:
        sizes = (num_blocks, num_host_blocks, block_size)
        watched = EventWatch(endpoints, replays or None, topic, *sizes, ranks=ranks)
        stack.enter_context(watched)
        stack.enter_context(ends_as_interrupts())
        stack.callback(_complete, files, watched)
        try:
            if once:
                _until_quiet(watched, files, wait, until)
            else:
                _live(watched, files, until, decode)
        except KeyboardInterrupt:
            pass
        click.echo("\n".join(_report(watched, decode, whole=once or not _is_terminal())))


def _complete(files: Files, watched: EventWatch) -> None:
    with Interrupts():
        files.close(watched)


def _report(watched: EventWatch, decode: Decode | None, whole: bool) -> list[str]:
    """Return what is printed at the end: on a terminal, which showed the tree, only its title."""
    said = [title(watched), *warnings(watched)]
    return said + (tree_lines(watched.tree, None, decode) if whole else [])


def _until_quiet(watched: EventWatch, files: Files, wait: float, until: float | None) -> None:
    """Poll until nothing comes for a moment, or the time is over."""
    patience = time.monotonic() + wait
    while True:
        num_used = _step(watched, files)
        now = time.monotonic()
        is_silent = not watched.num_frames or watched.tree.block_size is None
        is_waiting = is_silent and now < patience
        is_over = until is not None and now >= until
        if is_over or not (num_used or watched.is_asking or is_waiting):
            return


def _live(watched: EventWatch, files: Files, until: float | None, decode: Decode | None) -> None:
    """Draw the tree again and again; without a terminal, only poll."""
    if not _is_terminal():
        while until is None or time.monotonic() < until:
            _step(watched, files)
        return
    with Screen(watched, decode, f"Ctrl-C ends the view{files.said}") as screen:
        while until is None or time.monotonic() < until:
            screen.draw()
            _step(watched, files)


def _step(watched: EventWatch, files: Files) -> int:
    """Poll once; Ctrl-C waits until what has come is in the tree and in the files."""
    with Interrupts():
        num_used = watched.poll(REFRESH_S)
        if watched.tree.block_size is not None:
            files.begin(watched)
        files.tidy()
    return num_used


def _is_terminal() -> bool:
    return sys.stdout.isatty()


def _tokenizer(folder: str) -> "Tokenizer":
    from radixlab.model import load_tokenizer

    return load_tokenizer(folder)
