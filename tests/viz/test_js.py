"""The view's pure logic in node; the golden test: Python and the browser fold alike."""

import json
import random
import shutil
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from radixlab import events as ev
from radixlab.cache import KVCacheManager, LockError, OutOfBlocksError, RadixTree
from radixlab.cache.eviction import POLICIES
from radixlab.cache.quarantine import quarantine
from radixlab.cache.restart import restart
from radixlab.config import CacheConfig
from radixlab.events import Event
from radixlab.observe.doubt import doubt_line
from radixlab.observe.state import STREAM_COUNTERS, State, copy_state, fold
from radixlab.observe.wire import event_to_json, state_to_json
from radixlab.viz.bundle import esm, page_js, pair_esm, pair_page_js
from radixlab.viz.event_log import EventLog
from radixlab.viz.facts import block_facts, counts
from radixlab.viz.text import summary
from tests.viz.marks import marks_of

NODE = shutil.which("node")
pytestmark = pytest.mark.skipif(NODE is None, reason="node is not installed")
FOLDER = Path(__file__).parent / "js"


def node(*arguments: str, **environment: str) -> None:
    command = [NODE or "node", *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr


def engine_log(
    seed: int, num_host_blocks: int, policy: str = "lru"
) -> tuple[list[Event], set[int]]:
    """Run requests that share prefixes through a pool too small for them.

    Returns the events, and the numbers of those that a call of the cache began with.
    """
    draw, events, running = random.Random(seed), list[Event](), list[Any]()
    config = CacheConfig(40, 2, explain=True, num_host_blocks=num_host_blocks)
    cache = KVCacheManager(config, policy=POLICIES[policy](), emit=events.append)
    starts = set[int]()

    def call(method: Any, *arguments: Any, **options: Any) -> Any:
        starts.add(len(events))
        return method(*arguments, **options)

    for _ in range(60):
        try:
            prompt = [draw.randrange(2) for _ in range(draw.randrange(2, 14))]
            sequence = call(cache.allocate, prompt, resumed=draw.random() < 0.2)
            call(cache.complete, sequence.copies)
            call(cache.commit, sequence, sequence.num_tokens)
            running.append(sequence)
            if draw.random() < 0.3:
                running.append(call(cache.fork, sequence))
                call(cache.complete, call(cache.append, running[-1], [draw.randrange(2)]))
        except OutOfBlocksError:
            pass
        while running and draw.random() < 0.5:
            end = cache.preempt if draw.random() < 0.2 else cache.release
            call(end, running.pop(draw.randrange(len(running))))
        starts.add(len(events))
        disturb(cache, draw, running)
    return events, starts


def disturb(cache: KVCacheManager, draw: random.Random, running: list[Any]) -> None:
    """Find a corrupt block, or forget everything, once in a while."""
    if draw.random() < 0.1:
        with suppress(LockError):
            quarantine(cache, [draw.randrange(cache.config.num_blocks)])
    elif draw.random() < 0.03:
        restart(cache)
        running.clear()
    elif not running and draw.random() < 0.3:
        cache.reset()


def golden(
    name: str, start: State, events: list[Event], starts: set[int] | None = None
) -> dict[str, Any]:
    """Write down what every prefix of a log folds to, and its marks where the calls are known."""
    state, states, began = copy_state(start), [], 0
    for k, event in enumerate(events):
        fold(state, event)
        if starts is not None and k in starts:
            began = k
        facts = block_facts(state)
        blocks = [[facts.standing[k], facts.readers[k]] for k in range(state.num_blocks)]
        c = counts(state, facts)
        numbers = [c.num_free, c.num_evictable, c.num_in_use, c.hit_rate, c.num_on_host]
        text = {"summary": summary(state, chr), "ids": summary(state)}
        marks = marks_of(events[began : k + 1], state) if starts is not None else None
        picture = {"state": state_to_json(state), "marks": marks}
        states.append({**picture, "counts": numbers, "blocks": blocks, **text})
    log = EventLog(start, chr)
    log.events += events
    rows, vocab = log.rows(0)
    plain = [event_to_json(event) for event in events]
    recording = {**log.to_json(), "vocab": vocab, "events": rows}
    return {"name": name, "recording": recording, "plain": plain, "states": states}


def tree_log() -> list[Event]:
    """Fill and lock a tree alone, which no request ever reads."""
    events: list[Event] = []
    tree = RadixTree(block_size=2)
    tree.log.emit = events.append
    node = tree.insert([1, 2, 3, 4], np.array([0, 1], np.int32)).node
    fork = tree.insert([1, 2, 5, 6], np.array([2, 3], np.int32)).node
    receipts = [tree.lock(node), tree.lock(fork), tree.lock(fork)]
    for receipt in receipts:
        tree.unlock(receipt)
    return events


def log_of_a_lost_ancestor() -> list[Event]:
    """Lock and unlock a node whose parent a learner's tree has dropped."""
    orphan = (3, 2, None, (7, 7, 8, 8), (1, 2), 0, 0, 1)
    return [
        ev.TreeResynced(0, 0, (orphan,)),
        ev.NodeLocked(1, 0, 3, None),
        ev.NodeUnlocked(2, 0, 3, None),
    ]


def test_pure_logic(events: list[Event], tmp_path: Path) -> None:
    logs = [golden("by hand", State(16, 4), events)]
    logs.append(golden("a tree alone", State(6, 2), tree_log()))
    logs.append(golden("a lost ancestor", State(6, 2), log_of_a_lost_ancestor()))
    for seed, num in enumerate((0, 0, 0, 6, 60)):
        start = State(40, 2, num_host_blocks=num)
        logs.append(golden(f"engine {seed}", start, *engine_log(seed, num)))
    logs.append(golden("policy mru", State(40, 2), *engine_log(7, 0, "mru")))
    path = tmp_path / "golden.json"
    path.write_text(json.dumps(logs), "utf-8")
    files = map(str, sorted(FOLDER.glob("*.test.mjs")))
    node("--test", *files, GOLDEN=str(path), DOUBTS=json.dumps(doubts()))


def doubts() -> list[tuple[dict[str, int], str]]:
    """Return counters of a watched stream, and the line that says why a picture may be wrong."""
    rng, table = random.Random(0), []
    for _ in range(40):
        totals = {name: rng.choice([0, 0, 1, 2, 12345]) for name in STREAM_COUNTERS}
        table.append((totals, doubt_line(State(4, 4, **totals))))
    return table


@pytest.mark.parametrize("joined", [esm, page_js, pair_esm, pair_page_js])
def test_the_joined_modules_parse(joined: Any, tmp_path: Path) -> None:
    path = tmp_path / "bundle.mjs"
    path.write_text(joined(), "utf-8")
    node("--check", str(path))
