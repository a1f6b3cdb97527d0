"""The four kinds of traffic of 8.5.3, drawn from a seed, and the memory they are served with.

Hidden workloads are seeds: the same seed gives the same requests everywhere. Every pattern is made
of some of four parts, and each part needs one instrument, named in brackets:

- families: requests that begin alike, several families at the same time (request order);
- turns: families whose requests continue one another (insertion: many one-off prompts in between);
- skills: long prefixes that are used seldom, but surely, by turns (pins);
- one-off prompts, of which nothing is used again.

The length of what is shared decides the block size.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import islice
from typing import Any

import numpy as np

from radixlab.exercise.plan_host import Rows, make_workload
from radixlab.exercise.workload import BLOCK_OVERHEAD_TOKENS, BLOCK_SIZES, Workload
from radixlab.workloads import Request
from radixlab.workloads.generators.draw import between, join, stream, tokens
from radixlab.workloads.request import TokenArray

VARY = 0.15
"""Lengths differ by at most this share of the usual one."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What is the same for all workloads of a pattern; lengths are in tokens."""

    max_wait: int
    pool_tokens: int
    header: int
    """All prompts begin with these."""
    family: int
    """Beyond the header, the requests of a family share this many tokens from the start."""
    num_families: int
    """Families that are active at the same time."""
    num_users: int
    """Requests of a family; then a new family replaces it."""
    tail: tuple[int, int]
    """Least and most tokens of a prompt that no other has."""
    output: int
    one_off: int
    one_off_every: int
    has_turns: bool = False
    """Whether each request of a family continues the one before."""
    skill: int = 0
    num_skills: int = 0
    skill_every: int = 0
    """Positions from one use of a skill to the next use of any; the skills come by turns."""
    stride: int = 1
    """By how much the lengths of a short workload are divided."""
    num_requests: int = 160


KINDS: dict[str, Kind] = {
    "few-shot": Kind(
        max_wait=8, pool_tokens=1_200, header=8, family=16, num_families=16, num_users=6,
        tail=(60, 140), output=16, one_off=200, one_off_every=6,
    ),
    "multi-turn-chat": Kind(
        max_wait=3, pool_tokens=10_000, header=64, family=250, num_families=8, num_users=5,
        tail=(60, 120), output=60, one_off=2_200, one_off_every=3, has_turns=True, stride=12,
    ),
    "agent": Kind(
        max_wait=3, pool_tokens=10_000, header=64, family=1_600, num_families=2, num_users=2,
        tail=(100, 200), output=60, one_off=1_500, one_off_every=6, has_turns=True,
        skill=300, num_skills=6, skill_every=3, stride=16,
    ),
    "document-qa": Kind(
        max_wait=10, pool_tokens=9_000, header=96, family=2_600, num_families=5, num_users=8,
        tail=(100, 300), output=32, one_off=0, one_off_every=0, stride=40,
    ),
}  # fmt: skip
"""By pattern. Order of arrival makes each of them thrash."""


@dataclass(frozen=True, slots=True)
class Scene:
    """A workload of some pattern."""

    pattern: str
    seed: int
    num_requests: int
    stride: int = 1
    """1 for the whole prompts; all lengths and the memory are divided by it."""
    max_wait: int | None = None
    """Another bound than the pattern's."""
    output: int | None = None
    """Another length of the answers than the pattern's."""

    @property
    def kind(self) -> Kind:
        """What is the same for all of this pattern."""
        usual = KINDS[self.pattern]
        return usual if self.output is None else replace(usual, output=self.output)

    def requests(self) -> list[Request]:
        """Return the requests as the engine takes them."""
        return [request for request, _ in _drawn(self)]

    def facts(self) -> tuple[Any, ...]:
        """Return what `make_workload` takes."""
        drawn, wait = _drawn(self), self.max_wait
        rows: Rows = [(one.prompt.tolist(), one.output.tolist(), after) for one, after in drawn]
        longest = max(one.num_tokens for one, _ in drawn)
        pool_tokens = max(self.kind.pool_tokens // self.stride, _memory_for(longest))
        return self.pattern, rows, self.kind.max_wait if wait is None else wait, pool_tokens

    def workload(self) -> Workload:
        """Return the workload as a plan gets it."""
        return make_workload(*self.facts())


def scene(
    pattern: str,
    seed: int,
    num_requests: int | None = None,
    stride: int = 1,
    max_wait: int | None = None,
    output: int | None = None,
) -> Scene:
    """Return a pattern's scene, with as many requests as the grader takes unless told."""
    if pattern not in KINDS:
        raise ValueError(f"there is no pattern {pattern!r}: {', '.join(KINDS)}")
    num_requests = num_requests or KINDS[pattern].num_requests
    return Scene(pattern, seed, num_requests, stride, max_wait, output)


def short(pattern: str, seed: int, num_requests: int) -> Scene:
    """Return a scene of short prompts, for counting the work of a plan on many of them."""
    return Scene(pattern, seed, num_requests, KINDS[pattern].stride)


def _memory_for(num_tokens: int) -> int:
    """Return the memory that holds a request of this length in blocks of any size."""
    return max((num_tokens // size + 2) * (size + BLOCK_OVERHEAD_TOKENS) for size in BLOCK_SIZES)


@lru_cache(maxsize=32)
def _drawn(scene: Scene) -> list[tuple[Request, int | None]]:
    return list(islice(_Traffic(scene).requests(), scene.num_requests))


@dataclass(slots=True)
class _Family:
    """The tokens that its next request begins with, and how many requests are left."""

    begin: TokenArray
    left: int
    last: int | None = None


class _Traffic:
    """Draws requests one after the other, without end."""

    def __init__(self, scene: Scene) -> None:
        self._kind, self._stride = scene.kind, scene.stride
        self._rng = stream(scene.seed, scene.pattern)
        self._header = self._text(self._kind.header)
        self._skills = [self._text(self._kind.skill) for _ in range(self._kind.num_skills)]
        most = self._kind.num_users
        lefts = np.linspace(1, most, self._kind.num_families).round().astype(int).tolist()
        self._families = [self._family(left) for left in lefts]

    def requests(self) -> Iterator[tuple[Request, int | None]]:
        """Yield requests, each with the index of the turn before."""
        kind, deck, num_skills = self._kind, list[int](), 0
        next_skill, next_one_off = self._first(kind.skill_every), self._first(kind.one_off_every)
        index = 0
        while True:
            if kind.skill_every and index >= next_skill:
                skill = self._skills[num_skills % kind.num_skills]
                num_skills, next_skill = num_skills + 1, next_skill + kind.skill_every
                yield self._request(join(self._header, skill), self._tail(), "skill"), None
            elif kind.one_off_every and index >= next_one_off:
                next_one_off += kind.one_off_every
                yield self._request(self._header, self._text(kind.one_off), "one-off"), None
            else:
                deck = deck or self._rng.permutation(kind.num_families).tolist()
                yield self._of_family(deck.pop(), index)
            index += 1

    def _of_family(self, number: int, index: int) -> tuple[Request, int | None]:
        family = self._families[number]
        request = self._request(family.begin, self._tail(), f"family {number}")
        after = family.last
        if self._kind.has_turns:
            family.begin, family.last = join(request.prompt, request.output), index
        family.left -= 1
        if not family.left:
            self._families[number] = self._family(self._kind.num_users)
        return request, after

    def _family(self, left: int) -> _Family:
        return _Family(join(self._header, self._text(self._kind.family)), left)

    def _request(self, begin: TokenArray, rest: TokenArray, label: str) -> Request:
        return Request(join(begin, rest), self._exact(self._kind.output), label=label)

    def _first(self, every: int) -> int:
        return between(self._rng, 0, every // 2)

    def _tail(self) -> TokenArray:
        return self._exact(between(self._rng, *self._kind.tail))

    def _text(self, usual: int) -> TokenArray:
        """Draw tokens: about as many as usual; short lengths are exact."""
        spread = int(VARY * usual) if usual > 50 else 0
        return self._exact(between(self._rng, usual - spread, usual + spread))

    def _exact(self, num_tokens: int) -> TokenArray:
        return tokens(self._rng, max(1, num_tokens // self._stride))
