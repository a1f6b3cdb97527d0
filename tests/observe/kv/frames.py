"""Frames for the tests: what vLLM's and SGLang's own publishers sent, and random streams."""

import gzip
import json
from functools import cache
from pathlib import Path

from radixlab.observe.kv_events import Cleared, Removed, Stored, encode

ENGINES = ("vllm_0.33.0", "sglang_0.5.23")


@cache
def recorded(engine: str) -> list[dict]:
    """Return frames and probes in order: what an engine published, and what it found itself."""
    path = Path(__file__).with_name(f"kv_events_{engine}.jsonl.gz")
    lines = gzip.decompress(path.read_bytes()).splitlines()
    rows = list(map(json.loads, lines[1:]))
    for row in rows:
        if "payload" in row:
            row["payload"] = bytes.fromhex(row["payload"])
    return rows


def payloads(engine: str) -> list[tuple[int, bytes]]:
    return [(row["seq"], row["payload"]) for row in recorded(engine) if "payload" in row]


def tokens_of(path) -> list[int]:
    return [token for block in path for token in (block, block)]


def random_path(random) -> tuple[int, ...]:
    """A prompt of a few blocks of 2, out of few tokens, so that prompts share prefixes."""
    return tuple(random.randint(1, 2) for _ in range(random.randint(1, 6)))


def name_of(path) -> int:
    return hash(path) & (2**64 - 1)


def stored(path, start: int = 0, medium: str = "GPU", **more) -> Stored:
    """The blocks of a path from `start` on."""
    names = [name_of(path[: stop + 1]) for stop in range(start, len(path))]
    parent = name_of(path[:start]) if start else None
    return Stored(names, parent, tokens_of(path[start:]), 2, medium=medium, **more)


def stream(random, num_events: int):
    """Events in any order an engine might think of: parents go first, children come first."""
    for _ in range(num_events):
        kind, path = random.random(), random_path(random)
        medium, start = random.choice(["GPU", "GPU", "GPU", "CPU"]), random.randrange(len(path))
        if kind < 0.55:
            yield stored(path, start, medium)
        elif kind < 0.98:
            names = stored(path, start).block_hashes
            random.shuffle(names) if random.random() < 0.3 else names.reverse()
            yield Removed(names, medium)
        else:
            yield Cleared()


def vllm_like(random, num_events: int):
    """What vLLM publishes: a block may be there twice, and each copy has its own events."""
    copies = []
    for _ in range(num_events):
        if copies and random.random() < 0.45:
            path = copies.pop(random.randrange(len(copies)))
            yield Removed([name_of(path)], group_idx=0)
        else:
            path = random_path(random)
            start = random.randrange(len(path))
            copies += [path[: stop + 1] for stop in range(start, len(path))]
            yield stored(path, start, group_idx=0)


def packed(random, num_events: int, source=stream) -> list[tuple[list, bytes]]:
    events, frames = list(source(random, num_events)), []
    while events:
        num = random.randint(1, 4)
        frames.append((events[:num], encode(len(frames), events[:num])))
        del events[:num]
    return frames
