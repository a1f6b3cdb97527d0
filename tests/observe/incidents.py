"""What can go wrong with a cache, as traffic: each incident from a seed, small and quick."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from radixlab.workloads import Request
from tests.observe.monitored import Server, watched

VOCAB = 100_000
END_S = 45.0
"""Simulated seconds that an incident lasts …"""
WINDOW_S = 22.5
"""… and that the monitor looks back."""


def arrivals(rng: np.random.Generator, per_s: float) -> Iterator[float]:
    """Times of a Poisson process."""
    now = 0.0
    while True:
        now += float(rng.exponential(1 / per_s))
        yield now


def text(rng: np.random.Generator, low: int, high: int) -> np.ndarray:
    return rng.integers(VOCAB, size=int(rng.integers(low, high + 1)), dtype=np.int32)


def asked(*parts: np.ndarray, answer: int = 3) -> Request:
    return Request(np.concatenate(parts), np.zeros(answer, np.int32))


def on_documents(
    rng: np.random.Generator, num_documents: int, answer: int = 3
) -> Iterator[Request]:
    """Questions about a few documents: most of a prompt is shared."""
    documents = [text(rng, 300, 600) for _ in range(num_documents)]
    while True:
        document = documents[int(rng.integers(num_documents))]
        yield asked(document, text(rng, 10, 40), answer=answer)


def with_a_clock(rng: np.random.Generator) -> Iterator[Request]:
    """One long system prompt, with the time in its first block."""
    title, rules = text(rng, 4, 4), text(rng, 400, 400)
    while True:
        yield asked(title, text(rng, 4, 4), rules, text(rng, 10, 40))


def in_turn(rng: np.random.Generator, num_documents: int) -> Iterator[Request]:
    """Documents asked about one after another: what a small pool has just evicted comes next."""
    documents = [text(rng, 300, 600) for _ in range(num_documents)]
    while True:
        for document in documents:
            yield asked(document, text(rng, 10, 40))


def all_different(rng: np.random.Generator) -> Iterator[Request]:
    while True:
        yield asked(text(rng, 100, 500))


def at(times: Iterator[float], requests: Iterator[Request], until_s: float) -> Iterator[Request]:
    for time, request in zip(times, requests, strict=False):
        if time > until_s:
            return
        yield replace(request, arrival_s=time)


def healthy(seed: int):
    rng = np.random.default_rng(seed)
    server = Server(2000)
    return server, at(arrivals(rng, 1.5), on_documents(rng, 6), END_S)


def thrash(seed: int):
    rng = np.random.default_rng(seed)
    server = Server(200)
    return server, at(arrivals(rng, 1.5), in_turn(rng, 9), END_S)


def pool_too_small(seed: int):
    rng = np.random.default_rng(seed)
    server = Server(120)
    return server, at(arrivals(rng, 4.0), on_documents(rng, 12, answer=15), END_S)


def prefix_broken_early(seed: int):
    rng = np.random.default_rng(seed)
    server = Server(4000)
    return server, at(arrivals(rng, 1.5), with_a_clock(rng), END_S)


def no_shared_prefixes(seed: int):
    rng = np.random.default_rng(seed)
    server = Server(4000)
    return server, at(arrivals(rng, 1.5), all_different(rng), END_S)


def leak(seed: int):
    server, requests = healthy(seed)
    lost = np.random.default_rng(seed + 1).integers(VOCAB, size=200, dtype=np.int32)
    server.manager.allocate(lost)  # a request that nobody will ever release
    return server, (request for request in requests if request.arrival_s < 20)


def nothing_arrives(seed: int):
    server, requests = healthy(seed)
    return server, (request for request in requests if request.arrival_s < 10)


INCIDENTS = {
    incident.__name__: incident
    for incident in (
        healthy,
        thrash,
        pool_too_small,
        prefix_broken_early,
        no_shared_prefixes,
        leak,
        nothing_arrives,
    )
}


def reports(name: str, seed: int, page: str = "radixlab"):
    server, requests = INCIDENTS[name](seed)
    yield from watched(
        server, requests, END_S, every_s=7.5, window_s=WINDOW_S, write=getattr(server, page)
    )
