"""Whether a mutated submission is still a right plan, on workloads ten times as wide.

The grader tries two workloads of each pattern and twelve of other sizes. Here the same rules and
targets are held against many more of both, and the work must not grow faster than allowed.
"""

from types import SimpleNamespace

from radixlab.exercise.workload import PATTERNS
from radixlab.grade.ex3 import gains, growth
from radixlab.grade.ex3.oracle import saved_by, top
from radixlab.grade.ex3.play import odd_scenes, run
from radixlab.grade.ex3.traffic import scene
from radixlab.grade.items import Trial

NUM_WORKLOADS = 10
"""Of each pattern; their mean, and the mean of each two as the grader takes it, must be good."""
NUM_ODD = 4
"""Times the grader's workloads of other sizes."""


def same(source, seed):
    """Whether a text still is a right solution."""
    names = {"__name__": "submission"}
    try:
        exec(compile(source, "<submission>", "exec"), names)
        trial = Trial(SimpleNamespace(**names), 900 + seed)
        return good(trial) and harmless(trial) and growth.check_growth(trial) == 1
    except Exception:
        return False


def good(trial):
    """Whether every pattern reaches its target, the pins earn theirs, and hot spots are hot."""
    for pattern in PATTERNS:
        seeds = trial.random.integers(1_000_000, 2_000_000, NUM_WORKLOADS)
        runs = [run(trial, scene(pattern, int(seed))) for seed in seeds]
        pairs = zip(runs[::2], runs[1::2], strict=True)
        if any((one.share + other.share) / 2 < gains.TARGET for one, other in pairs):
            return False
        if pattern == gains.PINNED:
            gained = [gains._gained_by_pins(one) for one in runs]
            if min(gained) < gains.LEAST_BY_PINS:
                return False
        if not all(one.served.num_locked_blocks == 0 and is_hot(one) for one in runs):
            return False
    return True


def harmless(trial):
    """Whether workloads of other sizes are served by the rules, and no worse than in order."""
    for more in range(NUM_ODD):
        other = Trial(trial.learner, trial.seed + 7 * more + 1)
        for where in odd_scenes(other):
            one = run(other, where, with_canary=True)
            lost = -one.over_arrival
            if lost > gains.FORGIVEN or one.served.num_locked_blocks or not is_hot(one):
                return False
    return True


def is_hot(one):
    return saved_by(one.scene, one.answer.hot_spot) >= top(one.scene).saved_tokens
