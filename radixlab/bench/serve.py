"""What the server costs beside the engine: CPU time of its threads for a request and a token.

Clients ask over sockets of this machine, in a process of their own, so that their time is not
counted. In the server's process there are two threads: the event loop's, all of whose time is the
server's, and the engine's, of which the time inside `Engine.step` is the engine's. The rest of that
thread's time is the server's too: decoding the new tokens (text), and orders, news and the snapshot
(other). Two runs with answers of different lengths tell a request's cost from a token's.
"""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch

from radixlab.bench.measure import Spread, spread
from radixlab.bench.report import count
from radixlab.bench.table import Cell, TableReport
from radixlab.bench.tree_report import Progress
from radixlab.engine import NewToken
from radixlab.llm import LLM
from radixlab.serve.local import Served, serving
from radixlab.serve.models import builder
from radixlab.serve.settings import Settings

BATCH = 16
NUM_PROMPT_TOKENS = 64
SHORT, LONG = 1, 129
"""Tokens of an answer in the two runs."""
GOAL_REQUEST_US, GOAL_TOKEN_US = 1000, 50
HEADER = ("what", "event loop, µs", "text, µs", "other, µs", "together, µs", "goal, µs")
CLIENTS = """
import selectors, socket, sys
port, batch, rounds = map(int, sys.argv[1:4])
path, body = sys.argv[4:]
head = f"POST {path} HTTP/1.1\\r\\nHost: x\\r\\nContent-Type: application/json\\r\\n"
sent = f"{head}Content-Length: {len(body)}\\r\\n\\r\\n{body}".encode()
selector = selectors.DefaultSelector()
peers = [socket.create_connection(("127.0.0.1", port)) for _ in range(batch)]
for peer in peers:
    selector.register(peer, selectors.EVENT_READ)
for _ in range(rounds):
    tails = dict.fromkeys(peers, b"")
    for peer in peers:
        peer.sendall(sent)
    while tails:
        for key, _ in selector.select():
            peer = key.fileobj
            part = peer.recv(65536)
            assert part, tails[peer]
            tails[peer] = (tails[peer] + part)[-400:]
            if tails[peer].endswith(b"0\\r\\n\\r\\n"):
                del tails[peer]
"""
"""A program of clients that keep their connections and ask in step. It waits for all of them in one
thread, as load tools do: a thread for each would be woken for each token, and the server's thread
would pay for waking it."""


@dataclass(slots=True)
class Clocks:
    """Nanoseconds of CPU so far."""

    loop: int = 0
    engine: int = 0
    """Of the engine's thread."""
    step: int = 0
    """Of these, inside the engine's step."""
    whole: int = 0
    """Inside the LLM's step, which is the engine's and the decoding of text."""

    def minus(self, other: "Clocks") -> "Clocks":
        """Return what has passed since then."""
        return Clocks(
            self.loop - other.loop,
            self.engine - other.engine,
            self.step - other.step,
            self.whole - other.whole,
        )


def measure_serve(command: str, rounds: int | None, quick: bool, progress: Progress) -> TableReport:
    """Run the benchmark; `command` is what the report will say it was."""
    rounds = rounds or (2 if quick else 7)
    num_each = 4 if quick else 12
    torch.set_num_threads(1)
    clocks = Clocks()
    with serving(Settings(num_blocks=1024), build=_timed(clocks)) as server:
        _ask(server, LONG, 2)  # so that every prompt is cached and all code has run
        samples: dict[int, list[Clocks]] = {SHORT: [], LONG: []}
        with progress(2 * rounds, "serve", "run") as advance:
            for _ in range(rounds):
                for num_tokens, found in samples.items():
                    before = _now(server, clocks)
                    _ask(server, num_tokens, num_each)
                    found.append(_now(server, clocks).minus(before))
                    advance()
    what = (
        f"{BATCH} clients stream answers of {SHORT} and of {LONG} tokens to a prompt of "
        f"{NUM_PROMPT_TOKENS}, from the tiny model, in one thread of another process; CPU time of "
        f"the server's threads without `Engine.step`, median (min - max) of "
        f"{count(rounds, 'round')}, each of {num_each * BATCH} requests. A token's cost is the "
        f"difference of the two"
    )
    rows = [
        _row("a request with one token", samples[SHORT], None, num_each * BATCH, GOAL_REQUEST_US),
        _row(
            f"a streamed token at batch {BATCH}",
            samples[LONG],
            samples[SHORT],
            num_each * BATCH * (LONG - SHORT),
            GOAL_TOKEN_US,
        ),
    ]
    return TableReport("The server beside the engine", command, what, HEADER, rows)


def _row(
    what: str, found: list[Clocks], base: list[Clocks] | None, number: int, goal: int
) -> list[Cell]:
    base = base or [Clocks()] * len(found)
    spent = [one.minus(other) for one, other in zip(found, base, strict=True)]
    loop = [each.loop / number / 1000 for each in spent]
    text = [(each.whole - each.step) / number / 1000 for each in spent]
    other = [(each.engine - each.whole) / number / 1000 for each in spent]
    together = map(sum, zip(loop, text, other, strict=True))
    figures: list[Spread] = [spread(loop), spread(text), spread(other), spread(together)]
    return [what, *figures, goal]


def _timed(clocks: Clocks) -> Callable[[], LLM]:
    """Return what builds an LLM whose steps are timed."""
    build = builder(replace(Settings(num_blocks=1024), max_running=BATCH))

    def timed() -> LLM:
        llm = build()
        step, whole = llm.engine.step, llm.step

        def timed_step() -> list[NewToken]:
            start = time.thread_time_ns()
            news = step()
            clocks.step += time.thread_time_ns() - start
            return news

        def timed_whole() -> None:
            start = time.thread_time_ns()
            whole()
            clocks.whole += time.thread_time_ns() - start

        llm.engine.step = timed_step  # type: ignore[method-assign]
        llm.step = timed_whole  # type: ignore[method-assign]
        return llm

    return timed


def _now(server: Served, clocks: Clocks) -> Clocks:
    """Read the clock of each thread, in that thread."""
    loop = server.in_loop(time.thread_time_ns)
    engine = server.in_engine(lambda llm: time.thread_time_ns())
    return Clocks(loop, engine, clocks.step, clocks.whole)


def _ask(server: Served, num_tokens: int, rounds: int) -> None:
    body = {
        "model": "tiny",
        "prompt": [7] * NUM_PROMPT_TOKENS,
        "max_tokens": num_tokens,
        "temperature": 0,
        "ignore_eos": True,
        "stream": True,
    }
    numbers = [str(number) for number in (server.port, BATCH, rounds)]
    arguments = [*numbers, "/v1/completions", json.dumps(body)]
    subprocess.run([sys.executable, "-c", CLIENTS, *arguments], check=True)
