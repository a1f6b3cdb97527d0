"""The last item: the work of a key grows with its own length, and with nothing else.

Two scenes tell on different faults: ten thousand short keys on a scan of the children, a few long
ones on copies of the rest, or comparisons from the beginning, block by block. Counted is what is
done with tokens (compared, hashed, copied by a slice), per token of the keys, each inserted and
looked up. NumPy and bytes do it unseen: so the CPU time per token is looked at as well, and may not
be much larger with ten times as many keys, or keys ten times as long.

                              ten thousand keys       long keys
                              count   growth          count   growth
    four right solutions      2 – 7   1.1 – 1.4       2 – 7   0.9 – 1.2
    scan of children          > 300   9.4
    the same on bytes         4       6.4
    slices of the rest                                279     5.2
    the same on a list                                2.5     5.5
    compares from the start                           208     6.6
    whole prefixes as keys                            > 300   11.9

The limits lie half-way, in logarithm.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from radixlab.exercise.tree_work import Keys
from radixlab.grade.items import Failed, Trial

NUM_PATHS = 10_000
MOST_BLOCKS = 400
"""No key of the grader has more blocks: recursion is fine."""
MOST_PER_TOKEN = 40
MOST_GROWTH = 3.0
NUM_TIMES = 3
"""The shortest of so many times counts; the large scene is timed again only if need be."""


@dataclass(frozen=True, slots=True)
class Scene:
    """Keys to insert and then look up, and a tenth of them."""

    name: str
    block_size: int
    draw: Callable[[np.random.Generator, bool], Keys]
    code: str

    def insert(self) -> str:
        """Return lines to paste below one's own `RadixTree`."""
        return f"tree = RadixTree({self.block_size})\n{self.code}"


def _many(rng: np.random.Generator, small: bool) -> Keys:
    """Draw keys of two blocks of 4, no two with the same token in a place."""
    num_keys = NUM_PATHS // (10 if small else 1)
    return _lists(np.stack([rng.permutation(50_000)[:num_keys] for _ in range(8)], axis=1))


def _long(rng: np.random.Generator, small: bool) -> Keys:
    """Draw two keys in blocks of 64 that part half-way."""
    num_tokens = MOST_BLOCKS // (10 if small else 1) * 64
    keys = rng.integers(50_000, size=(2, num_tokens))
    keys[1, : num_tokens // 2] = keys[0, : num_tokens // 2]
    return _lists(keys)


def _lists(keys: Any) -> Keys:
    found: Keys = keys.tolist()
    return found


SCENES = (
    Scene(
        "10,000 keys of two blocks",
        4,
        _many,
        "for i in range(10_000):\n"
        "    tree.insert((i, 1, 2, 3, 4, 5, 6, 7), (2 * i, 2 * i + 1))\n"
        "from timeit import timeit\n"
        "print(timeit(lambda: tree.match_prefix((9_999, 1, 2, 3, 4, 5, 6, 7)), number=1_000))",
    ),
    Scene(
        "two keys of 400 blocks",
        64,
        _long,
        "key = tuple(range(400 * 64))\n"
        "tree.insert(key, tuple(range(400)))\n"
        "from timeit import timeit\n"
        "print(timeit(lambda: tree.match_prefix(key[: 40 * 64]), number=10))\n"
        "print(timeit(lambda: tree.match_prefix(key), number=10))",
    ),
)


def check_work(trial: Trial) -> None:
    """Count the work of both scenes, then see how their times grow."""
    for scene in SCENES:
        keys = scene.draw(trial.random, False)
        num_tokens = sum(map(len, keys))
        count = _measured(trial, scene, "count_work", keys, MOST_PER_TOKEN * num_tokens)
        if count > MOST_PER_TOKEN * num_tokens:
            raise Failed(
                f"{scene.name}, inserted and looked up, took over {MOST_PER_TOKEN} comparisons, "
                f"hashes and copies per token. Right solutions take 2 to 7.",
                scenario=scene.insert(),
            )
    for scene in SCENES:
        _require_little_growth(trial, scene)


def _require_little_growth(trial: Trial, scene: Scene) -> None:
    few, many = (scene.draw(trial.random, small) for small in (True, False))
    ratio = sum(map(len, many)) / sum(map(len, few))
    few_s = min(_measured(trial, scene, "time_work", few, 10.0) for _ in range(NUM_TIMES))
    few_s = max(few_s, 1e-6)  # a clock that stands still is no reason to fail
    most_s = MOST_GROWTH * ratio * few_s
    growth = 0.0
    for _ in range(NUM_TIMES):
        many_s = _measured(trial, scene, "time_work", many, most_s)
        if many_s <= most_s:
            return
        growth = many_s / few_s
    raise Failed(
        f"{scene.name}, inserted and looked up, took over {growth:.0f} times the CPU time of a "
        f"tenth of that, and should take about {ratio:.0f} times as much.",
        scenario=scene.insert(),
    )


def _measured(trial: Trial, scene: Scene, how: str, keys: Keys, most: float) -> float:
    """Return the work; raise `Failed` if it was done to the end and done wrong."""
    where = f"radixlab.exercise.tree_work:{how}"
    answer = trial.call(where, trial.learner.RadixTree, scene.block_size, keys, most)
    match answer:
        case {"work": int() | float() as work, "found": list() as found}:
            if work <= most and not _found_all(scene, keys, found):
                raise Failed(
                    f"{scene.name} were inserted, and are not all found.", scenario=scene.insert()
                )
            return work
    raise Failed("The work could not be measured.", scenario=scene.insert())


def _found_all(scene: Scene, keys: Keys, found: list[Any]) -> bool:
    """Tell whether the later half of the keys was found whole: more is for other items to ask."""
    half = len(keys) // 2
    pairs = zip(keys[half:], found[len(keys) + half :], strict=True)
    return all(
        isinstance(block_ids, list) and len(block_ids) == len(key) // scene.block_size
        for key, block_ids in pairs
    )
