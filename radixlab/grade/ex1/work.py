"""The last item: the work of a key grows with its own length, and with nothing else.

Two scenes show different faults. Ten thousand short keys show a scan of the children; long keys
show copies of the rest, or comparisons from the beginning, block by block. The friendly measure
counts what is done with tokens (compared, hashed, copied by a slice), per token. NumPy, bytes and
patched counters hide that. So the CPU time of the learner's whole process, as the system counts
it, decides as well. The time of one run on all keys is compared with the time of many runs on few
of them, with as many tokens, and with the time that a plain model takes here.
"""

from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter, thread_time
from typing import Any

import numpy as np

from radixlab.exercise.plain import plain_numbers
from radixlab.exercise.tree_work import Keys
from radixlab.grade.ex1.oracle import PrefixModel
from radixlab.grade.gates import ramp
from radixlab.grade.items import Failed, Trial
from radixlab.grade.reading import finite, rows

NUM_PATHS = 10_000
MOST_BLOCKS = 400
"""No key of the grader has more blocks: recursion is fine."""
FIRST_ID = 65_536
"""Of a large pool: 16 bits are not enough."""
PART = 40
"""A small run has this fraction of the keys, or of the blocks of a key: one in 40."""
MOST_PER_TOKEN = 40
"""Right solutions take 2 to 7."""
GROWTH = 4.5, 3.0
"""No points from the first on, all up to the second: right solutions grow by 0.2 to 1.7."""
STOPPED = 6.0
"""Growth after which there is no need to wait longer, or to measure again."""
SLOWNESS = 40.0, 20.0
"""Likewise, over a plain model's time: right solutions take 0.3 to 9 times as long."""
NUM_TIMES = 3
"""Measurements at most, of which the shortest counts; one is enough if it is good."""


@dataclass(frozen=True, slots=True)
class Scene:
    """Keys to insert, keys to look up, and what must be found; `code` shows the fault."""

    name: str
    block_size: int
    times: int
    """That it is run, to take long enough."""
    draw: Callable[[np.random.Generator, int], tuple[Keys, Keys]]
    code: str

    def failed(self, message: str) -> Failed:
        """Return the failure with lines to paste below one's own `RadixTree`."""
        lines = f"tree = RadixTree({self.block_size})\nfrom timeit import timeit\n{self.code}"
        return Failed(f"{self.name}: {message}", scenario=lines)


def _many(rng: np.random.Generator, part: int) -> tuple[Keys, Keys]:
    """Draw keys of two blocks of 4 that share most tokens; every other one is sought in part."""
    digits = rng.permutation(22**3)[: NUM_PATHS // part]
    of_digit = (rng.permutation(50_000)[:66] + 1).reshape(3, 22)
    columns = [of_digit[i, digits // 22**i % 22] for i in range(3)]
    columns += [np.full_like(digits, 7), *rng.integers(1, 50_000, size=(4, len(digits)))]
    keys = np.stack(columns, axis=1)
    wanted = keys[rng.permutation(len(keys))[::2]]
    wanted[::2, 7] = -1
    return keys.tolist(), wanted.tolist()


def _long(rng: np.random.Generator, part: int) -> tuple[Keys, Keys]:
    """Draw three keys in blocks of 64 that part after a third and two thirds."""
    third = MOST_BLOCKS // part // 3 * 64
    keys = rng.integers(1, 50_000, size=(3, 3 * third))
    keys[1:, :third] = keys[0, :third]
    keys[2, third : 2 * third] = keys[1, third : 2 * third]
    wanted = keys.copy()
    wanted[0, -1] = -1
    return keys.tolist(), wanted.tolist()


SCENES = (
    Scene(
        "10,000 keys of two blocks",
        4,
        1,
        _many,
        "for i in range(10_000):\n"
        "    tree.insert((i, 1, 2, 3, 4, 5, 6, 7), (2 * i, 2 * i + 1))\n"
        "print(timeit(lambda: tree.match_prefix((9_999, 1, 2, 3, 4, 5, 6, 7)), number=1_000))",
    ),
    Scene(
        "Three keys of 399 blocks",
        64,
        4,
        _long,
        "key = tuple(range(400 * 64))\n"
        "tree.insert(key, tuple(range(400)))\n"
        "print(timeit(lambda: tree.match_prefix(key[: 40 * 64]), number=10))\n"
        "print(timeit(lambda: tree.match_prefix(key), number=10))",
    ),
)


class Drawn:
    """Keys of a scene with their ids, keys to look up, and the ids that must be found.

    A plain model finds them, and the CPU time that it takes is a measure for this machine.
    """

    def __init__(self, scene: Scene, rng: np.random.Generator, part: int) -> None:
        keys, self.wanted = scene.draw(rng, part)
        start_s, num_blocks = thread_time(), 0
        model = PrefixModel(scene.block_size)
        self.keys = list[tuple[list[int], list[int]]]()
        for tokens in keys:
            num_new = len(tokens) // scene.block_size - len(own := model.match(tokens))
            own += range(FIRST_ID + num_blocks, FIRST_ID + num_blocks + num_new)  # none comes back
            num_blocks += num_new
            self.keys.append((tokens, model.insert(tokens, own)[0]))
        self.expected = [model.match(tokens) for tokens in self.wanted]
        self.plain_s = max(thread_time() - start_s, 1e-3)
        self.num_tokens = sum(map(len, keys)) + sum(map(len, self.wanted))


def check_work(trial: Trial) -> float:
    """Count the work of both scenes, then see how their times grow; return the smallest share."""
    drawn = [[Drawn(scene, trial.random, part) for part in (PART, 1)] for scene in SCENES]
    for scene, (_, many) in zip(SCENES, drawn, strict=True):
        _require_few_counts(trial, scene, many)
    return min(_share(trial, *scene) for scene in zip(SCENES, drawn, strict=True))


def _require_few_counts(trial: Trial, scene: Scene, drawn: Drawn) -> None:
    most = MOST_PER_TOKEN * drawn.num_tokens
    answer = _run(trial, "count_work", scene, drawn, most)
    if finite("the number of comparisons", answer.get("work"), least=0) > most:
        raise scene.failed(
            f"inserting them and looking them up took over {MOST_PER_TOKEN} comparisons, hashes "
            f"and copies per token. Right solutions take 2 to 7."
        )
    _require_found(scene, drawn, answer)


def _share(trial: Trial, scene: Scene, drawn: list[Drawn]) -> float:
    """Return the share of the points that the growth and the height of the CPU time earn."""
    few, many = drawn
    trial.call("radixlab.exercise.tree_work:collect")
    few_s, many_s = list[float](), list[float]()
    for _ in range(NUM_TIMES):
        few_s.append(_seconds(trial, scene, few, PART * scene.times, most_s=60.0))
        least_s = max(min(few_s), 1e-3)  # a clock that stands still proves nothing
        most_s = STOPPED * least_s + 0.1
        many_s.append(_seconds(trial, scene, many, scene.times, most_s))
        growth, slowness = min(many_s) / least_s, min(many_s) / many.plain_s / scene.times
        share = min(ramp(growth, *GROWTH), ramp(slowness, *SLOWNESS))
        if share == 1:
            return share
        if growth >= STOPPED:
            break
    message = (
        f"this took {slowness:.0f} times as long as a plain dictionary of blocks takes; at most "
        f"{SLOWNESS[1]:.0f} times earns all points."
    )
    if growth > GROWTH[1]:
        message = (
            f"the CPU time per token is {growth:.1f} times as long as in a run with a {PART}th of "
            f"the keys, or of their length; at most {GROWTH[1]:.0f} times earns all points."
        )
    if share == 0:
        raise scene.failed(message)
    trial.notes.append(f"{scene.name}: {message}")
    return share


def _seconds(trial: Trial, scene: Scene, drawn: Drawn, num_times: int, most_s: float) -> float:
    """Return the CPU time that the learner's process took; raise `Failed` for a wrong answer."""
    before, start_s = trial.usage().cpu_s, perf_counter()
    answer = _run(trial, "run_work", scene, drawn, num_times, most_s)
    after, end_s = trial.usage().cpu_s, perf_counter()
    seconds = end_s - start_s if before is None or after is None else after - before
    tree = answer.get("tree")
    if tree is None:
        return max(seconds, most_s)  # it was stopped there
    _require_found(scene, drawn, answer)
    for tokens, right in zip(drawn.wanted[:20], drawn.expected, strict=False):
        if _asked(tree, tokens, len(right) + 1) != right:
            raise scene.failed("one of them was looked up again, and its block_ids are wrong.")
    return seconds


def _run(trial: Trial, function: str, scene: Scene, drawn: Drawn, *limits: float) -> dict[str, Any]:
    where, make_tree = f"radixlab.exercise.tree_work:{function}", trial.learner.RadixTree
    answer = trial.call(where, make_tree, scene.block_size, drawn.keys, drawn.wanted, *limits)
    return answer if isinstance(answer, dict) else {}


def _asked(tree: Any, tokens: list[int], most: int) -> Any:
    """Ask the tree itself, and not through the module beside it; None if it is not a tree."""
    try:
        return plain_numbers(tree.match_prefix(tuple(tokens)).block_ids, most)
    except (AttributeError, TypeError):
        return None


def _require_found(scene: Scene, drawn: Drawn, answer: dict[str, Any]) -> None:
    found = rows("what was found", answer.get("found"), len(drawn.expected))
    if found != drawn.expected:
        raise scene.failed("not all of them are found with the right block_ids.")
