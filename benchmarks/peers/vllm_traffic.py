"""The same drawn traffic through vLLM's CPU offload manager under several policies.

    RADIXLAB_PEERS=peers python -m benchmarks.peers.vllm_traffic --seeds 20

The manager, its request contexts and its own policies are loaded unmodified from the wheel of vLLM
0.33.0. Requests share prefixes, look up what is cached, load it, store the rest in batches, fail,
are cut short and finish; several run at once. Under our flat LRU every lookup, eviction, event and
chunk id must be that of vLLM's own `lru`. Under the others every answer must keep the contract.
"""

import argparse
import hashlib
import importlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

from benchmarks.peers.stubs import make_importable

VERSION = "0.33.0"
REAL = (
    "vllm.envs",
    "vllm.logger",
    "vllm.utils",
    "vllm.v1.kv_hints",
    "vllm.v1.kv_offload",
    "vllm.v1.metrics.cache_hit_source",
)
MODULE = "radixlab.bridge.vllm_policy"
OURS = ("RadixlabFlatLRU", "RadixlabLRU", "RadixlabAdaptive")
TOKENS = 16
"""Tokens in a chunk."""


class Modules:
    """vLLM's own names, once they could be imported."""

    def __init__(self, folder: Path) -> None:
        import torch

        torch.set_num_threads(1)
        make_importable(folder, REAL)
        self.manager = importlib.import_module("vllm.v1.kv_offload.cpu.manager")
        self.base = importlib.import_module("vllm.v1.kv_offload.base")
        self.policies = importlib.import_module("vllm.v1.kv_offload.cpu.policies.base")


@cache
def load(folder: Path) -> Modules:
    """Load them once; raise `FileNotFoundError` if the wheel is not unpacked in `folder`."""
    if not (folder / f"vllm-{VERSION}.dist-info").is_dir():
        raise FileNotFoundError(f"the wheel vllm {VERSION} is not unpacked in {folder}")
    return Modules(folder)


@dataclass(slots=True)
class Seen:
    """What a manager let be seen in a run."""

    steps: list[Any] = field(default_factory=list)
    hits: int = 0
    """Chunks that requests found, each prefix up to the first miss."""
    evicted: int = 0
    orphaned: int = 0
    """Chunks found cached behind a missing one, which is of no use."""


@dataclass(slots=True)
class Request:
    """A running request: its keys by group, and what it has under way."""

    context: Any
    keys: list[Any]
    next: int = 0
    """Chunks before it are stored, or were found."""
    storing: list[Any] = field(default_factory=list)
    loading: list[Any] = field(default_factory=list)


class Offload:
    """A manager and its running requests."""

    def __init__(self, modules: Modules, policy: str, num_chunks: int, threshold: int) -> None:
        self.m = modules
        module = None if policy in ("lru", "arc") else MODULE
        self.manager = modules.manager.CPUOffloadingManager(
            num_chunks, policy, module, enable_events=True, store_threshold=threshold
        )
        self.num_chunks = num_chunks
        self.running: list[Request] = []
        self.seen = Seen()

    def start(self, rid: int, prompt: list[int], groups: int, placed: bool) -> None:
        """Begin a request: look up its prefix, and load what is there."""
        context = self.m.base.ReqContext(str(rid))
        self.manager.on_new_request(context)
        keys, digest = [], b""
        for number, block in enumerate(prompt, 1):
            digest = hashlib.sha256(digest + bytes([block])).digest()
            for group in range(groups):
                keys.append(self.m.base.make_offload_key(digest, group))
                if placed:
                    context.set_offload_key_position(keys[-1], number * TOKENS)
        request = Request(context, keys)
        found = [self.manager.lookup(key, context).name for key in keys]
        hit = next((n for n, name in enumerate(found) if name != "HIT"), len(keys))
        self.seen.hits += hit
        self.seen.orphaned += sum(name == "HIT" for name in found[hit:])
        request.next = hit
        skipped = hit // 3 if rid % 3 == 0 else 0  # the GPU has the first part itself
        request.loading = keys[skipped:hit]
        if request.loading:
            self.manager.prepare_load(request.loading, context)
        self.running.append(request)
        self.seen.steps.append(("start", found))

    def store(self, request: Request, num: int) -> None:
        """Offer the next chunks for storing, with some that are stored already."""
        batch = request.keys[max(0, request.next - 1) : request.next + num]
        if request.storing or not batch:
            return
        held = self._held()
        output = self.manager.prepare_store(batch, request.context)
        if output is None:
            assert self._held() == held, "the manager refused, and something changed"
            self.seen.steps.append(("full",))
            return
        assert not set(output.evicted_keys) & set(batch), "a protected chunk was evicted"
        request.storing = list(output.keys_to_store)
        self.seen.evicted += len(output.evicted_keys)
        chunks = output.store_spec.block_ids if hasattr(output.store_spec, "block_ids") else ()
        ids = [int(each) for each in chunks]
        self.seen.steps.append(("store", request.storing, output.evicted_keys, ids))

    def complete(self, request: Request, success: bool) -> None:
        """End what the request has under way."""
        if request.loading:
            self.manager.complete_load(request.loading, request.context)
            request.loading = []
        if request.storing:
            self.manager.complete_store(request.storing, request.context, success)
            request.next += len(request.storing) if success else 0
            request.storing = []

    def end(self, request: Request, success: bool) -> None:
        """Finish a request."""
        self.complete(request, success)
        self.manager.on_request_finished(request.context)
        self.running.remove(request)

    def settle(self) -> None:
        """Note the events, and check the manager's own counts."""
        self.seen.steps.append([(e.keys, e.removed) for e in self.manager.take_events()])
        manager, policy = self.manager, self.manager._policy
        loaded = {key for request in self.running for key in request.loading}
        stored = {key for request in self.running for key in request.storing}
        assert all(policy.get(key).ref_cnt > 0 for key in loaded), "a chunk went while it was read"
        assert all(policy.get(key) is not None for key in stored), "a chunk went before it came"
        chunks = getattr(policy, "_chunks", None)
        if chunks is not None:
            free = manager._get_num_free_chunks()
            assert len(chunks) + free == self.num_chunks, f"{len(chunks)} chunks and {free} free"
            assert not chunks.problems(), chunks.problems()

    def _held(self) -> Any:
        policy = self.manager._policy
        chunks = policy._chunks.chunks if hasattr(policy, "_chunks") else policy.chunks
        return sorted(chunks)


def run(modules: Modules, policy: str, seed: int, num_steps: int) -> Seen:
    """Let one manager live through a drawn run."""
    draw = Random(seed)
    num_chunks, groups = draw.choice(((6, 1), (12, 1), (20, 2), (40, 1), (400, 1)))
    placed, threshold = draw.random() < 0.8, draw.choice((0, 0, 2))
    stems = [[draw.randrange(200) for _ in range(draw.randrange(2, 12))] for _ in range(5)]
    offload = Offload(modules, policy, num_chunks, threshold)
    for number in range(num_steps):
        kind = draw.choices(("start", "store", "complete", "end", "reset"), (30, 40, 30, 20, 0.5))
        stem, cut, more = draw.choice(stems), draw.randrange(1, 12), draw.randrange(3)
        pick, num, fails = draw.random(), draw.randrange(1, 5), draw.random() < 0.1
        tail = [draw.randrange(4) for _ in range(more)]
        if kind[0] == "start" and len(offload.running) < 5:
            offload.start(number, stem[:cut] + tail, groups, placed)
        elif kind[0] == "reset":
            _reset(offload)
        elif offload.running:
            request = offload.running[int(pick * len(offload.running))]
            if kind[0] == "store":
                offload.store(request, num)
            elif kind[0] == "complete":
                offload.complete(request, not fails)
            elif kind[0] == "end":
                offload.end(request, not fails)
        offload.settle()
    return offload.seen


def _reset(offload: Offload) -> None:
    """Empty the cache; vLLM drops what was under way."""
    offload.manager.reset_cache()
    offload.running.clear()


def policies() -> Iterator[str]:
    """Yield the policies that can run here: vLLM's first."""
    yield "lru"
    yield from OURS
    if os.environ.get("RADIXLAB_POLICY"):
        yield "RadixlabYours"


def compare(modules: Modules, seeds: int, num_steps: int) -> dict[str, Any]:
    """Run all policies; raise `AssertionError` where flat LRU differs from vLLM's."""
    theirs = [run(modules, "lru", seed, num_steps) for seed in range(seeds)]
    found: dict[str, Any] = {}
    for name in policies():
        seen = [run(modules, name, seed, num_steps) for seed in range(seeds)]
        if name == "RadixlabFlatLRU":
            _require_equal(theirs, seen)
            _require_equal([refused_first(modules, "lru")], [refused_first(modules, name)])
        found[name] = {
            "hit_chunks": sum(each.hits for each in seen),
            "evicted_chunks": sum(each.evicted for each in seen),
            "orphaned_chunks": sum(each.orphaned for each in seen),
            "equal_runs": sum(a.steps == b.steps for a, b in zip(theirs, seen, strict=True)),
        }
    steps = sum(len(each.steps) for each in theirs)
    return {"runs": seeds, "steps": steps, "policies": found}


def refused_first(modules: Modules, policy: str) -> Seen:
    """Run the case in which a request is refused, and so comes late but had its turn early."""
    offload = Offload(modules, policy, 3, 0)
    busy, early, late = [1, 2, 3], [10], [20]
    offload.start(0, busy, 1, True)
    offload.store(offload.running[0], 3)
    offload.start(1, early, 1, True)
    offload.store(offload.running[1], 1)  # refused: all chunks are being written
    offload.end(offload.running[0], True)
    offload.start(2, late, 1, True)
    for request in reversed(offload.running):
        offload.store(request, 1)
        offload.complete(request, True)
    offload.start(3, [30, 31], 1, True)
    offload.store(offload.running[-1], 2)  # the oldest two go: one of the first request, `early`
    offload.settle()
    return offload.seen


def _require_equal(theirs: list[Seen], ours: list[Seen]) -> None:
    for seed, (their, our) in enumerate(zip(theirs, ours, strict=True)):
        for number, (one, other) in enumerate(zip(their.steps, our.steps, strict=True)):
            if one != other:
                raise AssertionError(f"seed {seed}, step {number}: {one} in vLLM, {other} in ours")


def main() -> None:
    """Print the comparison as JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=40)
    parser.add_argument("--steps", type=int, default=300)
    options = parser.parse_args()
    modules = load(Path(os.environ["RADIXLAB_PEERS"]).resolve())
    print(json.dumps(compare(modules, options.seeds, options.steps)))


if __name__ == "__main__":
    main()
