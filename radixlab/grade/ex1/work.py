"""The last item: the work of a look-up grows with its key, and with nothing else.

Counted are the comparisons and hashes of tokens, and the tokens that slices copy, per token of all
keys; and where NumPy or bytes do it unseen, CPU time in passes over the keys. Two scenes tell on
different faults: ten thousand short keys on a scan of the children, a long one on copies of its
rest, or comparisons from its beginning, block by block.

What it takes, per token of the keys (each is inserted and looked up) and in passes:

    solution                      wide: count, passes    long: count, passes
    FIGURES
"""

from itertools import chain
from typing import Any

from radixlab.exercise.tree_work import Keys
from radixlab.grade.ex1.model import PrefixModel
from radixlab.grade.items import Failed, Trial

NUM_PATHS = 10_000
MOST_BLOCKS = 400
"""No key of the grader has more blocks: recursion is fine."""
MOST_PER_TOKEN = 40
MOST_PASSES = 40


def wide_keys(trial: Trial) -> tuple[int, Keys]:
    """Draw 10⁴ keys of two blocks, half of them with the same first block."""
    block_size = 4
    keys = trial.random.integers(50_000, size=(NUM_PATHS, 2 * block_size))
    keys[1::2, :block_size] = keys[1, :block_size]
    return block_size, keys.tolist()


def long_keys(trial: Trial) -> tuple[int, Keys]:
    """Draw two long keys that part half-way."""
    block_size = 64
    keys = trial.random.integers(50_000, size=(2, MOST_BLOCKS * block_size))
    keys[1, : keys.shape[1] // 2] = keys[0, : keys.shape[1] // 2]
    return block_size, keys.tolist()
