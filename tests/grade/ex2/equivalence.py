"""Whether a benchmark that was changed still meets every rule, on ten times as many machines.

The rules leave much free (order of branches, number of rounds, kind of warm-up), so a mutant is not
compared with what it was made of: it is judged by the rules, where the grader does not look.
"""

import sys
from types import ModuleType

import numpy as np

from radixlab.grade.ex2.audit import audit, counts, eager, real
from radixlab.grade.ex2.figures import concluded, report
from radixlab.grade.ex2.play import run
from radixlab.grade.ex2.traffic import WORKLOADS, Scene, real_scene, scenes
from radixlab.grade.items import Trial

SIZES = (4, 8, 16, 24, 32, 64, 128)
NUM_DRAWN, NUM_WIDE, NUM_REAL = 6, 20, 4


def same(source, seed):
    """Whether a submission still meets the rules."""
    try:
        learner = sys.modules["submission"] = ModuleType("submission")
        exec(compile(source, "<submission>", "exec", dont_inherit=True), learner.__dict__)
        trial = Trial(learner, seed)
        for scene in _scenes(np.random.default_rng([seed, 852])):
            judged = run(trial, scene)
            for judge in (audit, counts, eager, report, concluded, real):
                judge(judged)
    except BaseException:  # whatever a mutant raises
        return False
    return True


def _scenes(rng):
    for _ in range(NUM_DRAWN):
        yield from scenes(rng)
    for _ in range(NUM_WIDE):
        forks = rng.choice(12, int(rng.integers(1, 3)), replace=False) + 1
        sizes = rng.choice(SIZES, int(rng.integers(1, 4)), replace=False)
        ints = (tuple(int(number) for number in numbers) for numbers in (forks, sizes))
        yield Scene(int(rng.integers(1 << 40)), *ints, str(rng.choice(list(WORKLOADS))))
    for _ in range(NUM_REAL):
        yield real_scene(rng)
