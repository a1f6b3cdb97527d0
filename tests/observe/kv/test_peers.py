"""Against the code of vLLM, SGLang and Dynamo themselves: their frames, their decoders, their tree.

Each runs in a process of its own (`peers.py`), because its stand-ins must not meet other tests.
"""

import importlib
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from radixlab.cache import KVCacheManager
from radixlab.config import CacheConfig
from radixlab.observe.kv_events import Cleared, Outgoing, RemoteTree, Removed, Stored, encode
from tests.observe.kv.consistent import Followed
from tests.observe.lives import live, small_cache

WHEELS = os.environ.get("RADIXLAB_PEERS")
ENGINES = ("vllm", "sglang", "sglang-default")
ROOT = Path(__file__).parents[3]

pytestmark = pytest.mark.skipif(
    not WHEELS, reason="no unpacked wheels (RADIXLAB_PEERS; benchmarks/peers/README.md)"
)


def peer(engine: str, *args, text: str | None = None) -> list:
    """Run a peer; return the JSON that it prints, line by line."""
    for package in ("msgspec", "torch", "zmq"):
        pytest.importorskip(package, reason=f"{package} is not installed: the peers need it")
    command = [sys.executable, "-m", "tests.observe.kv.peers", engine, WHEELS, *map(str, args)]
    run = subprocess.run(command, input=text, capture_output=True, text=True, cwd=ROOT)
    assert run.returncode == 0, run.stderr[-3000:]
    return [json.loads(line) for line in run.stdout.splitlines() if line[:1] in "[{"]


@pytest.mark.parametrize("seed", [2, 3])
@pytest.mark.parametrize("engine", ENGINES)
def test_we_find_what_their_own_cache_finds(engine, seed):
    "duplicates, salts, forks of six documents, evictions, resets"
    followed, num_probes, num_hits = Followed(num_blocks=400, block_size=4), 0, 0
    for row in peer(engine, "stream", seed, 1500):
        if "payload" in row:
            assert followed.tree.feed(bytes.fromhex(row["payload"]), row["seq"])
        for probe in row.get("probes", ()):
            namespace = ("salt", probe["salt"]) if probe["salt"] else None
            found = followed.tree.num_cached_tokens(probe["tokens"], namespace)
            assert found == probe["hit_tokens"]
            num_probes, num_hits = num_probes + 1, num_hits + bool(found)
    followed.check()
    assert num_probes == 1200 and num_hits > 200
    assert not followed.tree.faults and not followed.tree.num_orphans


def our_payloads(seed: int):
    """Return what a random life of our cache publishes, call by call."""
    out, told = Outgoing(2), []

    def listen(event):
        if events := out.hear(event):
            told.append(events)

    list(live(small_cache(listen), seed, 300))
    return told


@pytest.mark.parametrize("engine", ENGINES[:2])
def test_their_decoders_read_our_payloads(engine):
    told = [events for seed in range(4) for events in our_payloads(seed)]
    payloads = [encode(number, events) for number, events in enumerate(told)]
    lines = peer(engine, "decode", text="".join(f"{payload.hex()}\n" for payload in payloads))
    assert len(lines) == len(told) > 50
    names = {Stored: "BlockStored", Removed: "BlockRemoved", Cleared: "AllBlocksCleared"}
    for number, ((ts, events, rank), ours) in enumerate(zip(lines, told, strict=True)):
        assert (ts, rank) == (number, 0)
        assert [event["type"] for event in events] == [names[type(event)] for event in ours]
        for theirs, event in zip(events, ours, strict=True):
            for field, value in theirs.items():
                if field != "type" and hasattr(event, field):
                    assert value == getattr(event, field), field


def dynamo_core():
    try:
        sys.path.append(WHEELS)
        return importlib.import_module("dynamo._core")
    except ImportError as error:
        pytest.skip(f"ai-dynamo-runtime is not in RADIXLAB_PEERS: {error}")
    finally:
        sys.path.remove(WHEELS)


class Router:
    """What a router makes of our events with Dynamo's tree: it hashes the tokens itself."""

    def __init__(self, core, block_size: int) -> None:
        self.core, self.size, self.tree, self.num = core, block_size, core.RadixTree(), 0

    def hear(self, event) -> None:
        if isinstance(event, Cleared):
            data = "cleared"
        elif isinstance(event, Removed):
            data = {"removed": {"block_hashes": event.block_hashes}}
        else:
            hashes = self.core.compute_block_hash_for_seq(event.token_ids, self.size)
            pairs = zip(event.block_hashes, hashes, strict=True)
            blocks = [{"block_hash": name, "tokens_hash": tokens} for name, tokens in pairs]
            data = {"stored": {"parent_hash": event.parent_block_hash, "blocks": blocks}}
        told = {"event_id": self.num, "data": data, "dp_rank": 0}
        self.tree.apply_event(0, json.dumps(told).encode())
        self.num += 1

    def num_cached_tokens(self, tokens) -> int:
        whole = (len(tokens) - 1) // self.size * self.size
        if not whole:
            return 0
        hashes = self.core.compute_block_hash_for_seq(list(map(int, tokens[:whole])), self.size)
        scores = self.tree.find_matches(hashes).scores
        return next(iter(scores.values()), 0) * self.size


@pytest.mark.parametrize("seed", range(6))
def test_dynamos_tree_finds_the_same_prefixes_as_ours(seed):
    "on the device, without namespaces: Dynamo's tree knows neither tiers nor salts"
    core = dynamo_core()
    router, tree, random = Router(core, 4), RemoteTree(block_size=4), np.random.default_rng(seed)
    out, number, found = Outgoing(4), 0, 0

    def listen(event):
        nonlocal number
        if events := out.hear(event):
            tree.feed(encode(number, events), number)
            number += 1
            for told in events:
                router.hear(told)

    manager = KVCacheManager(CacheConfig(num_blocks=40, block_size=4), listen)
    documents = [random.integers(0, 9, 40) for _ in range(4)]
    for _ in range(300):
        prompt = documents[random.integers(4)][: random.integers(1, 40)]
        prompt = np.concatenate((prompt, random.integers(0, 9, random.integers(0, 4))))
        if len(prompt) and random.random() < 0.9:
            sequence = manager.allocate(prompt)
            manager.commit(sequence, len(prompt))
            manager.release(sequence)
        elif random.random() < 0.2:
            manager.reset()
        for _ in range(3):
            probe = documents[random.integers(4)][: random.integers(2, 40)]
            ours = tree.num_cached_tokens(probe)
            assert router.num_cached_tokens(probe) == ours
            assert ours == len(manager.peek(probe[:-1])) * 4
            found += bool(ours)
    assert found > 300
