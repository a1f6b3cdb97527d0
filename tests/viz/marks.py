"""Which marks a picture must show, found from the end of the log backwards: an oracle for the view.

The browser goes forwards through the events of one call (js/changes.js) and must not know where the
calls really began. This file is told that by the test that made the calls.
"""

from collections.abc import Iterable
from typing import Any

from radixlab.events import Event
from radixlab.observe.state import State, expand

_NEW = {"BlocksAllocated": "block_runs", "BlockStored": "block_runs", "LoadedBack": "block_runs"}
_ON_HOST = ("host full", "below corrupt KV, on the host")


def marks_of(call: list[Event], state: State) -> dict[str, list[int]]:
    """Return the blocks by mark, and the sources and destinations of copies.

    `call` is the part of one call that led to `state`. The last event that speaks of a block
    decides its mark; a hit counts only where no event of the call made the block new.
    """
    device: dict[int, str] = {}
    host: dict[int, str] = {}
    for event in reversed(call):
        for pool, mark, blocks in _told(event):
            for block in blocks:
                (host if pool == "host" else device).setdefault(block, mark)
    for block in _hit(call, state):
        device.setdefault(block, "hit")
    found = {
        f"{mark} {name}": _with(pool, mark)
        for name, pool in (("", device), ("host", host))
        for mark in ("hit", "new", "evicted")
    }
    copies = [[e.src, e.dst] for e in call if type(e).__name__ == "BlockCopied"]
    return {**found, "copies": copies}


def _with(pool: dict[int, str], mark: str) -> list[int]:
    return sorted(block for block, its in pool.items() if its == mark)


def _told(event: Any) -> Iterable[tuple[str, str, list[int]]]:
    name = type(event).__name__
    if name in _NEW:
        yield "device", "new", expand(event.block_runs)
    if name == "BlockCopied":
        yield "device", "new", [event.dst]
    if name == "BlockRemoved":
        yield "host" if event.reason in _ON_HOST else "device", "evicted", expand(event.block_runs)
    if name == "WrittenBack":
        yield "device", "evicted", expand(event.block_runs)
        yield "host", "new", expand(event.host_runs)
    if name == "LoadedBack":
        yield "host", "evicted", expand(event.host_runs)


def _hit(call: list[Any], state: State) -> list[int]:
    ends = [e.node_id for e in call if type(e).__name__ == "PrefixMatched"]
    return [b for end in ends if end in state.nodes for n in state.path(end) for b in n.block_ids]
