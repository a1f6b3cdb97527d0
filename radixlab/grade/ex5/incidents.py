"""What happens to a server, as series of scrapes: one healthy run, and one for each fault.

Every run is served by the real engine, so its metrics are what an engine with this fault shows. A
scene draws its sizes from a seed. The traffic of a healthy server is questions about a few long
documents; each fault changes one thing of it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from radixlab.exercise.metrics import FAULTS
from radixlab.grade.ex5.plant import VOCABULARY, Arrival, Plant, Prompt

HEALTHY = "healthy"
KINDS = (HEALTHY, *FAULTS)
SCRAPE_S = 30
"""Seconds of the scripted clock from one scrape to the next."""
NUM_STEPS = 24
"""Steps of the engine in that time."""
MAX_RUNNING = 4
BURST_SCRAPES, BUSY_SCRAPES = 2, 16
"""How many scrapes a burst and a busy hour last on a healthy server."""


@dataclass(frozen=True, slots=True)
class Scene:
    """A server with its traffic: a kind, and a seed for all sizes."""

    kind: str
    seed: int
    num_before: int
    """Scrapes of healthy traffic before the fault begins."""
    num_after: int
    """Scrapes with the fault."""
    burst_at: int | None = None
    """At which scrape a burst of traffic comes, which a healthy server survives."""
    busy_at: int | None = None
    """At which scrape a busy hour begins, in which requests run at every scrape."""
    num_arrivals: int | None = None
    """Requests between two scrapes, if not drawn from the seed."""


class Traffic:
    """Questions about documents, with the sizes of a scene."""

    def __init__(self, scene: Scene) -> None:
        self.rng = rng = np.random.default_rng([scene.seed, KINDS.index(scene.kind)])
        self.block_size = int(rng.choice([8, 16, 32]))
        self.num_documents = int(rng.integers(4, 7))
        self.document_blocks = int(rng.integers(10, 17))
        self.own_blocks = int(rng.integers(1, self.document_blocks // 2 + 1))
        """The most blocks of a question."""
        drawn = int(rng.integers(5, 8))
        self.num_arrivals = drawn if scene.num_arrivals is None else scene.num_arrivals
        self.opening = self._tokens(int(rng.integers(0, 4)))
        """How every question begins; so a block of it has something in common with all others."""
        num = 5 * self.num_documents // 2
        self.documents = [self._tokens(self.document_blocks * self.block_size) for _ in range(num)]
        self._turn = 0

    def _tokens(self, num: int) -> Prompt:
        tokens: Prompt = self.rng.integers(10, VOCABULARY, num).tolist()
        return tokens

    @property
    def working_set_blocks(self) -> int:
        """Blocks of the documents that questions are about, and of a question about each."""
        return self.num_documents * (self.document_blocks + self.own_blocks + 1)

    def question(self, num_documents: int, stamp: bool = False, answer: int = 4) -> Arrival:
        """Ask about the next document; with a stamp, the prompt begins with the time of day."""
        self._turn += 1
        document = self.documents[self._turn % num_documents]
        if stamp:  # "Current time: 12:31:07", and then what all prompts share
            document = [3, 4, 5, *self._tokens(2), *document]
        own = self._tokens(int(self.rng.integers(1, self.own_blocks * self.block_size)))
        return document + self.opening + own, answer

    def stranger(self, answer: int = 4) -> Arrival:
        """Make a prompt that shares nothing with any other."""
        return self._tokens((self.document_blocks + 1) * self.block_size), answer

    def normal(self) -> list[Arrival]:
        """Return what arrives at a healthy server between two scrapes."""
        return [self.question(self.num_documents) for _ in range(self.num_arrivals)]


@lru_cache(maxsize=128)
def scrapes(scene: Scene) -> tuple[str, ...]:
    """Return the metrics' text at each scrape of a scene."""
    return tuple(_run(scene))


def _run(scene: Scene) -> Iterator[str]:
    traffic = Traffic(scene)
    plant = _plant(scene, traffic)
    for number in range(scene.num_before + scene.num_after):
        is_faulty = number >= scene.num_before and scene.kind != HEALTHY
        if number == scene.num_before and scene.kind == "pool_too_small":
            plant = _small_plant(traffic)
        if is_faulty and scene.kind == "leak":
            plant.leak(2)
        arrivals = _arrivals(scene.kind, traffic) if is_faulty else traffic.normal()
        if _lasts(scene.burst_at, BURST_SCRAPES, number):
            arrivals += [traffic.stranger(answer=12) for _ in range(2 * MAX_RUNNING)]
        is_busy = _lasts(scene.busy_at, BUSY_SCRAPES, number)
        if is_busy:
            arrivals = [traffic.question(traffic.num_documents, answer=6) for _ in range(8)]
        plant.spend(arrivals, NUM_STEPS, to_the_end=is_busy)
        yield plant.scrape()


def _lasts(start: int | None, num_scrapes: int, number: int) -> bool:
    return start is not None and start <= number < start + num_scrapes


def _plant(scene: Scene, traffic: Traffic) -> Plant:
    num_blocks = int(traffic.working_set_blocks * traffic.rng.uniform(1.2, 1.5))
    if scene.kind == "leak":
        num_blocks += 2 * scene.num_after
    return Plant(num_blocks, traffic.block_size, MAX_RUNNING, max_queue=4 * MAX_RUNNING)


def _small_plant(traffic: Traffic) -> Plant:
    """Start the server again with a pool that two requests fill."""
    num_blocks = 2 * traffic.document_blocks + 8
    return Plant(num_blocks, traffic.block_size, MAX_RUNNING, max_queue=4 * MAX_RUNNING)


def _arrivals(kind: str, traffic: Traffic) -> list[Arrival]:
    num = traffic.num_arrivals
    match kind:
        case "thrash":
            return [traffic.question(len(traffic.documents)) for _ in range(num)]
        case "no_shared_prefixes":
            return [traffic.stranger() for _ in range(num)]
        case "prefix_broken":
            return [traffic.question(traffic.num_documents, stamp=True) for _ in range(num)]
        case "pool_too_small":
            answer = 2 * traffic.block_size
            return [traffic.question(traffic.num_documents, answer=answer) for _ in range(num)]
        case _:
            return traffic.normal()
