"""The same drawn traffic through SGLang's own `RadixCache` and through other trees, step by step.

    RADIXLAB_PEERS=peers python -m benchmarks.peers.sglang_traffic --seeds 20

Requests share prefixes, come in namespaces, wait, are prefilled in chunks, decode, finish, are
aborted, and press on a small pool. After each step everything visible is compared, the tree checks
its own invariants, and every page must have one owner. The table says how many tokens each cache
found; a difference where there may be none ends the run.
"""

import argparse
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from benchmarks.peers.sglang_requests import Modules, Serving, load, their_cache

PAGE_SIZES = (1, 2, 4, 16)
NAMESPACES: tuple[dict[str, str], ...] = (
    {}, {}, {}, {"extra_key": "a"}, {"cache_salt": "a"}, {"extra_key": "a", "cache_salt": "b"}
)  # fmt: skip
WIDE_TOKENS = 5_000
IMAGE = 2**40
"""Images are tokens beyond 32 bits."""
Step = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Case:
    """One drawn run: the number of pages decides how hard requests press on each other."""

    seed: int
    page_size: int
    pages: int
    num_steps: int = 120

    @property
    def is_wide(self) -> bool:
        """Whether nothing is ever evicted: then all trees must find the same."""
        return self.pages * self.page_size >= WIDE_TOKENS


@dataclass(slots=True)
class Seen:
    """What one cache let be seen in a run, step by step."""

    steps: list[Any] = field(default_factory=list)
    hits: list[int] = field(default_factory=list)
    evicted: int = 0


def cases(seeds: int, num_steps: int = 120) -> Iterator[Case]:
    """Yield runs over all page sizes, under pressure and (every fourth) without."""
    for seed in range(seeds):
        page_size = PAGE_SIZES[seed % len(PAGE_SIZES)]
        pages = 6_400 // page_size if seed % 16 < 4 else max(14, 96 // page_size)
        yield Case(seed, page_size, pages, num_steps)


def story(case: Case) -> Iterator[Step]:
    """Yield what happens, drawn once and independent of any cache."""
    draw = Random(case.seed)
    longest = 40 if case.page_size < 16 else 160
    stems = [[draw.randrange(50) for _ in range(draw.randrange(4, longest))] for _ in range(4)]
    stems.append([IMAGE + draw.randrange(3) for _ in range(8)] + stems[0])
    for number in range(case.num_steps):
        stem = draw.choice(stems)
        tokens = stem[: draw.randrange(1, len(stem) + 1)]
        tokens = tokens + [draw.randrange(4) for _ in range(draw.randrange(0, 12))]
        keys, chunk = draw.choice(NAMESPACES), draw.choice((5, 16, 64, 512))
        pick, word = draw.random(), draw.randrange(4)
        kind = draw.choices(
            ("admit", "step", "finish", "abort", "waits", "touch", "evict", "order", "reset"),
            (40, 50, 24, 5, 8, 3, 0 if case.is_wide else 3, 4, 1),
        )[0]
        if kind == "order":  # each prompt once more than the one before it: no two weigh the same
            tokens = [prompt for times, prompt in enumerate(stems, 1) for _ in range(times)]
            draw.shuffle(tokens)
        yield kind, number, tokens, keys, chunk, pick, word


def run(serving: Serving, case: Case) -> Seen:
    """Let one cache live through a run; raise at the first leak or broken invariant."""
    seen = Seen()
    for step in story(case):
        before = serving.sizes()
        seen.steps.append((step[0], _do(serving, *step), *_state(serving)))
        if step[0] != "reset":
            seen.evicted += max(0, before[3] - serving.sizes()[3])
        if leaks := serving.leaks():
            raise AssertionError(f"{case}, step {step[1]}: {leaks[:3]}")
        serving.cache.sanity_check() if hasattr(serving.cache, "sanity_check") else None
    for rid in list(serving.running):
        serving.finish(rid)
    assert serving.sizes()[2] == 0, f"{case}: {serving.sizes()[2]} tokens stay protected"
    serving.evict(case.pages * case.page_size)
    assert serving.sizes()[0] == case.pages * case.page_size, f"{case}: {serving.sizes()}"
    seen.hits = serving.hits
    return seen


def _state(serving: Serving) -> tuple[Any, ...]:
    return serving.sizes(), serving.rows_of_all(), list(serving.hits[-1:])


def _do(
    serving: Serving,
    kind: str,
    number: int,
    tokens: Any,
    keys: dict[str, str],
    chunk: int,
    pick: float,
    word: int,
) -> Any:
    running = list(serving.running)
    rid = running[int(pick * len(running))] if running else None
    if kind == "admit":
        return serving.admit(str(number), tokens, chunk, **keys)
    if kind == "waits":
        return serving.waits(tokens, **keys).prefix_len
    if kind == "touch":
        return serving.touch(tokens, **keys)
    if kind == "evict":
        return serving.evict(chunk)
    if kind == "order":
        return _order(serving, tokens, keys)
    if kind == "reset":
        return serving.reset() if not running else None
    if rid is None:
        return None
    return serving.step(rid, chunk, word) if kind == "step" else getattr(serving, kind)(rid)


def _order(serving: Serving, prompts: list[list[int]], keys: dict[str, str]) -> list[int]:
    """Return the `dfs-weight` order of waiting prompts."""
    waiting = [serving.waits(prompt, **keys).last_node for prompt in prompts]
    return [int(index) for index in serving.cache.dfs_weight_order(waiting)]


def contenders(modules: Modules) -> dict[str, Callable[[Any], Any]]:
    """Return all caches: SGLang's own first."""
    from radixlab.bridge.plugin import backends, register

    if not modules.registry.registered_radix_cache_backends():
        register()
    factories = {name: modules.registry.get_radix_cache_factory(name) for name in backends()}
    if not os.environ.get("RADIXLAB_TREE"):
        del factories["radixlab-yours"]
    return {"SGLang": their_cache(modules), **factories}


def compare(
    modules: Modules, seeds: int, num_steps: int = 120, only: tuple[str, ...] = ()
) -> dict[str, Any]:
    """Run all cases through all caches, and return what they found.

    Raises `AssertionError` where a cache differs from SGLang's that must not: everywhere for whole
    leaves, and without eviction for every tree.
    """
    makers: dict[str, Any] = contenders(modules)
    makers = {name: makers[name] for name in ("SGLang", *only)} if only else makers
    found: dict[str, Any] = {}
    steps = num_requests = 0
    theirs: dict[int, Seen] = {}
    for name, make in makers.items():
        hits = evicted = equal = 0
        for case in cases(seeds, num_steps):
            seen = run(Serving(modules, case.pages, case.page_size, make), case)
            own = theirs.setdefault(case.seed, seen)
            must = name == "radixlab-whole-leaves" or not (own.evicted or seen.evicted)
            if must and (odd := _first_difference(own, seen)):
                raise AssertionError(f"{name}, {case}: {odd}")
            hits, evicted = hits + sum(seen.hits), evicted + seen.evicted
            equal += own.steps == seen.steps
            steps += name == "SGLang" and len(seen.steps)
            num_requests += name == "SGLang" and len(seen.hits)
        found[name] = {"hit_tokens": hits, "evicted_tokens": evicted, "equal_runs": equal}
    return {"runs": seeds, "steps": steps, "requests": num_requests, "caches": found}


def _first_difference(theirs: Seen, ours: Seen) -> str:
    for number, (one, other) in enumerate(zip(theirs.steps, ours.steps, strict=True)):
        if one != other:
            return f"step {number}: {one} in SGLang, {other} in ours"
    return ""


def main() -> None:
    """Print the comparison as JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=16)
    parser.add_argument("--steps", type=int, default=120)
    parser.add_argument("--only", action="append", default=[], metavar="BACKEND")
    options = parser.parse_args()
    modules = load(Path(os.environ["RADIXLAB_PEERS"]).resolve())
    print(json.dumps(compare(modules, options.seeds, options.steps, tuple(options.only))))


if __name__ == "__main__":
    main()
