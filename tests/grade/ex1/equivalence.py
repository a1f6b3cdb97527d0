"""Whether a mutated solution of 8.5.1 still is a right one: played ten times as wide as graded.

Which of several unlocked leaves goes first is free, and the oracle follows any legal choice.
"""

import numpy as np

from radixlab.exercise import tree_player, tree_work
from radixlab.grade.ex1 import traffic
from radixlab.grade.ex1.audit import find_fault
from radixlab.grade.ex1.machine import Draw, Machine
from radixlab.grade.ex1.scenario import EVERYTHING, WALKED, Scenario
from radixlab.grade.ex1.work import MOST_PER_TOKEN, SCENES, Drawn

FAMILIES = (
    traffic.match_scenarios,
    traffic.split_scenarios,
    traffic.children_scenarios,
    traffic.reinsert_scenarios,
    traffic.lock_scenarios,
    traffic.evict_scenarios,
    traffic.stats_scenarios,
    traffic.machine_scenarios,
)
NUM_SEEDS = 4
"""Of the grader's own families, judged in every respect."""
NUM_RUNS, RUN_LENGTH = 300, 60
"""Of random calls: with block sizes and numbers of blocks that the grader does not have."""


def same(source, seed):
    names = {"__name__": "submission"}
    try:
        exec(compile(source, "<submission>", "exec"), names)
        make_tree = names["RadixTree"]
        return all(_is_right(make_tree, scenario) for scenario in _scenarios(seed)) and all(
            _works_little(make_tree, scene, seed) for scene in SCENES
        )
    except Exception:  # whatever it is, a right solution does not raise it
        return False


def _scenarios(seed):
    for number in range(NUM_RUNS):
        rng = np.random.default_rng((seed, number))
        size = int(rng.choice((1, 2, 3, 5, 8, 16, 32)))
        run = (*Machine(Draw(rng, size), 2 + number % 6).run(RUN_LENGTH), ("walk",))
        yield Scenario(size, run if number % 3 else run[:-1], EVERYTHING)
    for number in range(NUM_SEEDS):
        for family in FAMILIES:
            for scenario in family(np.random.default_rng((seed, number))):
                few = len(scenario.operations) <= 60 or scenario.judged & WALKED
                judged = EVERYTHING if few else EVERYTHING - WALKED
                yield Scenario(scenario.block_size, scenario.operations, judged)


def _is_right(make_tree, scenario):
    operations = [list(operation) for operation in scenario.operations]
    answers = tree_player.play(make_tree, scenario.block_size, operations, scenario.watched)
    return find_fault(scenario, answers) is None


def _works_little(make_tree, scene, seed):
    drawn = Drawn(scene, np.random.default_rng(seed), 1)
    most = MOST_PER_TOKEN * drawn.num_tokens
    answer = tree_work.count_work(make_tree, scene.block_size, drawn.keys, drawn.wanted, most)
    return answer["work"] <= most and answer["found"] == drawn.expected
