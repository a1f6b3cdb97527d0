"""Finds the adapters for other engines' caches, which live in the repository's benchmarks/peers.

It knows where they are and what they promise; nothing of the engines.
"""

import importlib
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from radixlab.bench.contenders import Contender, Entry
from radixlab.config import CacheConfig

ADAPTERS = "benchmarks.peers"
NO_WHEELS = "no folder of unpacked wheels was given (benchmarks/peers/README.md)"


@dataclass(frozen=True, slots=True)
class Peers:
    """Who takes part, and who does not and why."""

    entries: list[Entry] = field(default_factory=list)
    not_run: dict[str, str] = field(default_factory=dict)


def find_peers(folder: Path | None) -> Peers:
    """Load the caches that the wheels unpacked in `folder` offer."""
    if folder is None:
        return Peers(not_run={"SGLang, vLLM, Dynamo, mini-sglang, nano-vllm": NO_WHEELS})
    root = Path(__file__).resolve().parents[2]
    if not root.joinpath(*ADAPTERS.split("."), "__init__.py").is_file():
        return Peers(not_run={"every peer": f"{ADAPTERS} is in the repository only"})
    if str(root) not in sys.path:
        sys.path.append(str(root))
    adapters = importlib.import_module(ADAPTERS)
    peers = Peers()
    for peer in adapters.load_peers(folder.resolve()):
        if peer.make is None:
            peers.not_run[peer.name] = peer.not_run
        else:
            peers.entries.append(_entry(peer.name, peer.make, peer.in_threads))
    return peers


def _entry(name: str, make: Callable[[CacheConfig], Contender], in_threads: bool) -> Entry:
    clock = time.process_time_ns if in_threads else time.thread_time_ns
    return Entry(name, lambda config, workload: make(config), clock=clock)
