"""The item on children: blocks that differ in any token are different blocks.

Whoever finds a child by less than its whole block takes some blocks for one another. Three searches
find such blocks, the first that are wrong are shown:

- differences that are known to fool hashes, checksums, sums, remainders and smaller numbers;
- differences by the numbers that stand in the learner's own code;
- blocks with a random token, so many that two of them share a key of 32 bits or fewer
  (this takes a second, so a tree whose keys are whole blocks is tried with few).

A hash of 40 bits or more, with no such number in it, cannot be told from the block from outside.
"""

from collections.abc import Sequence
from typing import Any

from radixlab.exercise.tree import Tokens
from radixlab.grade.ex1.play import play_all
from radixlab.grade.ex1.scenario import Scenario
from radixlab.grade.ex1.traffic import children_scenarios
from radixlab.grade.ex1.twins import GREAT, LEAST, MOST, twins_by
from radixlab.grade.items import Failed, Trial

SIZES = (1, 4)
"""Of the blocks with numbers from the code."""
NUM_RANDOM = 200_000
"""Two of them share a key of 32 bits with a probability of 99 %, and one of 36 bits with 25 %."""
MOST_NUMBERS = 100
MOST_S = 1.5
"""CPU time to insert the random blocks, and to find them: right solutions take 0.1 to 1 s."""


def check_children(trial: Trial) -> None:
    """Look for two blocks that the tree takes for one another."""
    make_tree = trial.learner.RadixTree
    play_all(trial, children_scenarios(trial.random))
    numbers = _plain(trial.call("radixlab.exercise.tree_twins:numbers_in", make_tree), 2, 2**64 - 1)
    for size in SIZES:
        play_all(trial, [_siblings(twins_by((*GREAT, *numbers), trial.random, size))])
    where = "radixlab.exercise.tree_twins:mistaken"
    lost = _plain(trial.call(where, make_tree, trial.seed, NUM_RANDOM, MOST_S), LEAST, MOST)
    if blocks := list(zip(lost[::3], lost[1::3], lost[2::3], strict=False)):
        play_all(trial, [_siblings(blocks)])
        raise Failed(
            f"{blocks[0]} was inserted, and is not found beside many other blocks.",
            scenario=f"from random import Random\ndraw, tree = Random({trial.seed}), RadixTree(3)\n"
            f"a, c = draw.getrandbits(63), draw.getrandbits(63)\nfor i in range({NUM_RANDOM}):\n"
            f"    tree.insert((a, draw.getrandbits(63), c), (i,))\n"
            f"print(tree.match_prefix({blocks[0]}))",
        )


def _plain(found: Any, least: int, most: int) -> list[int]:
    """Return the whole numbers of an answer: a hint, which may be anything."""
    some = found[:MOST_NUMBERS] if isinstance(found, list) else []
    return [number for number in some if type(number) is int and least <= number <= most]


def _siblings(blocks: Sequence[Tokens]) -> Scenario:
    inserts = [("insert", block, (number,)) for number, block in enumerate(blocks)]
    matches = [("match", block) for block in blocks]
    return Scenario(len(blocks[0]), (*inserts, *matches), frozenset({"found"}))
