"""The four kinds of traffic of 8.5.3, drawn from a seed, and the memory they are served with.

Hidden workloads are seeds: the same seed gives the same requests everywhere.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Any

import numpy as np

from radixlab.exercise.plan_host import Rows, make_workload
from radixlab.exercise.workload import Workload
from radixlab.workloads import GENERATORS, Request
from radixlab.workloads.generators.draw import join, stream, tokens

MOST_TOKENS = 17_500
"""Of a request: longer ones were rejected. The memory holds it in blocks of any size."""
HEADER_TOKENS = 96
"""How to answer from a document: every prompt of document-qa begins with it."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What is the same for all workloads of a pattern."""

    num_requests: int
    max_wait: int
    pool_tokens: int
    stride: int
    """Of short workloads, whose tokens are every so-manieth: some 200 of them for a request."""


KINDS: dict[str, Kind] = {
    "few-shot": Kind(160, 30, 3_000, 8),
    "multi-turn-chat": Kind(160, 24, 16_000, 8),
    "agent": Kind(64, 16, 27_000, 48),
    "document-qa": Kind(100, 16, 24_000, 32),
}
"""By pattern. Order of arrival makes each of them thrash."""


@dataclass(frozen=True, slots=True)
class Scene:
    """A workload of some pattern."""

    pattern: str
    seed: int
    num_requests: int
    stride: int = 1
    """1 for the whole prompts."""

    @property
    def kind(self) -> Kind:
        """What is the same for all of this pattern."""
        return KINDS[self.pattern]

    @property
    def pool_tokens(self) -> int:
        """Memory: less if the requests are shorter."""
        return self.kind.pool_tokens // self.stride

    def requests(self) -> list[Request]:
        """Return the requests as the engine takes them."""
        return list(_requests(self))

    def facts(self) -> tuple[Any, ...]:
        """Return what `make_workload` takes."""
        return self.pattern, _rows(self.requests()), self.kind.max_wait, self.pool_tokens

    def workload(self) -> Workload:
        """Return the workload as a plan gets it."""
        return make_workload(*self.facts())


def scene(pattern: str, seed: int, num_requests: int | None = None, stride: int = 1) -> Scene:
    """Return a pattern's scene, with as many requests as the grader takes unless told."""
    if pattern not in KINDS:
        raise ValueError(f"there is no pattern {pattern!r}: {', '.join(KINDS)}")
    return Scene(pattern, seed, num_requests or KINDS[pattern].num_requests, stride)


def short(pattern: str, seed: int, num_requests: int) -> Scene:
    """Return a scene that shares as much as a whole one does, by shorter prompts."""
    return Scene(pattern, seed, num_requests, KINDS[pattern].stride)


@lru_cache(maxsize=8)
def _requests(scene: Scene) -> tuple[Request, ...]:
    drawn = GENERATORS[scene.pattern](2 * scene.num_requests, scene.seed)
    fitting = (request for request in drawn if request.num_tokens <= MOST_TOKENS)
    found = list(islice(fitting, scene.num_requests))
    if scene.pattern == "document-qa":
        header = tokens(stream(scene.seed, "header"), HEADER_TOKENS)
        found = [Request(join(header, one.prompt), one.output, label=one.label) for one in found]
    return tuple(_thinned(one, scene.stride) for one in found)


def _thinned(request: Request, stride: int) -> Request:
    """Keep every so-manieth token: prompts that begin alike still do."""
    if stride == 1:
        return request
    whole, num = np.concatenate((request.prompt, request.output)), len(request.prompt)
    return Request(
        whole[:num:stride], whole[-(-num // stride) * stride :: stride], label=request.label
    )


def _rows(requests: list[Request]) -> Rows:
    """Return prompts, outputs and the turn before: the last one of the same chat or task."""
    last: dict[str, int] = {}
    rows: Rows = []
    for index, request in enumerate(requests):
        name = re.match(r"(conversation|agent) \d+", request.label or "")
        after = last.get(name[0]) if name else None
        if name:
            last[name[0]] = index
        rows.append((request.prompt.tolist(), request.output.tolist(), after))
    return rows
