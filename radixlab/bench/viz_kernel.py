"""The kernel's half of `radixlab bench viz`: what views cost the engine, in a real kernel.

The functions below `Kernel` run inside it. Each result is printed as JSON.
"""

import gc
import json
import os
import time
from collections.abc import Callable
from typing import Any

from radixlab.cache import KVCacheManager
from radixlab.config import CacheConfig
from radixlab.viz import CacheView

BLOCK_SIZE = 16
LARGE = 1_024
"""Blocks of the cache that one view and 30 views show."""

REQUESTS_PER_S = 150
"""What the busy kernel serves, which makes 2,400 events a second; between them it computes."""


class Kernel:
    """A kernel of its own, whose cells print JSON; its other messages go to `heard`."""

    def __init__(self) -> None:
        from jupyter_client.manager import KernelManager

        self._manager = KernelManager(kernel_name="python3")
        self._manager.start_kernel(env={**os.environ, "RADIXLAB_STATIC": "0"})
        self._link = self._manager.client()
        self._link.start_channels()
        self._link.wait_for_ready(timeout=120)

    def run(
        self, code: str, heard: Callable[[dict[str, Any]], object] = lambda message: None
    ) -> Any:
        """Run a function of this file, by its call; return what it returns."""
        program = f"import json\nfrom radixlab.bench.viz_kernel import *\nprint(json.dumps({code}))"
        request, printed = self._link.execute(program), ""
        while True:
            message = self._link.get_iopub_msg(timeout=300)
            kind, content = message["msg_type"], message["content"]
            if message["parent_header"].get("msg_id") != request:
                continue
            if kind == "error":
                raise RuntimeError(f"{code}: {content['ename']}: {content['evalue']}")
            if kind == "stream" and content["name"] == "stdout":
                printed += content["text"]
            if kind.startswith("comm_"):
                heard(message)
            if content.get("execution_state") == "idle":
                return json.loads(printed)

    def close(self) -> None:
        """End the kernel."""
        self._link.stop_channels()
        self._manager.shutdown_kernel(now=True)


def filled(num_nodes: int, num_blocks: int) -> KVCacheManager:
    """Return a cache whose tree has about `num_nodes` leaves below 16 shared prompts."""
    cache = KVCacheManager(CacheConfig(num_blocks, BLOCK_SIZE))
    for number in range(num_nodes):
        serve(cache, number)
    return cache


def serve(cache: KVCacheManager, number: int) -> None:
    """Serve a request with one of 16 shared prompts, a question of its own, and four tokens."""
    prompt = [1 + number % 16] * BLOCK_SIZE + [100 + number] * BLOCK_SIZE
    sequence = cache.allocate(prompt)
    cache.commit(sequence, len(prompt))
    for _ in range(4):
        cache.complete(cache.append(sequence, [7]))
    cache.commit(sequence, sequence.num_tokens)
    cache.release(sequence)


def microseconds(cache: KVCacheManager, first: int, num_requests: int) -> float:
    """Return the CPU time of a request in this thread."""
    gc.collect()
    start = time.thread_time_ns()
    for number in range(first, first + num_requests):
        serve(cache, number)
    return (time.thread_time_ns() - start) / num_requests / 1000


def cost_of_an_event(rounds: int, num_requests: int) -> list[float]:
    """Return what a view adds to the engine's time, in µs an event, once a round."""
    costs, cache, number = [], filled(200, LARGE), 200
    for _ in range(rounds):
        without = microseconds(cache, number, num_requests)
        view = CacheView(cache, title="bench")
        assert view.feed is not None
        log = view.feed.event_log
        with_view = microseconds(cache, number + num_requests, num_requests)
        num_events = log.end / num_requests
        costs.append((with_view - without) / num_events)
        view.close()
        number += 2 * num_requests
    return costs


def cost_of_views(rounds: int, num_requests: int) -> list[tuple[float, float, float]]:
    """Return the µs of a request without a view, with one, and with 30 views, once a round."""
    costs, cache, number = [], filled(300, LARGE), 300
    for _ in range(rounds):
        found = []
        for num_views in (0, 1, 30):
            views = [CacheView(cache, title=f"view {k}") for k in range(num_views)]
            found.append(microseconds(cache, number, num_requests))
            number += num_requests
            for view in views:
                view.close()
        costs.append((found[0], found[1], found[2]))
    return costs


_KEPT: list[Any] = []


def open_view(num_nodes: int, num_blocks: int) -> list[str]:
    """Open a view of a filled cache; return the ids of its models: the view's and the feed's."""
    cache = filled(num_nodes, num_blocks)
    view = CacheView(cache, title="bench")
    assert view.feed is not None
    _KEPT[:] = [cache, view]
    return [view.model_id, view.feed.model_id]


def keep_busy(seconds: float) -> int:
    """Serve requests at a steady rate and compute in between, as a model would; return how many."""
    cache, number, start = _KEPT[0], 1_000, time.monotonic()
    while (now := time.monotonic()) < start + seconds:
        if number - 1_000 <= (now - start) * REQUESTS_PER_S:
            serve(cache, number)
            number += 1
    return number - 1_000
