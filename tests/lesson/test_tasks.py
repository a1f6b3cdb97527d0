"""One-line tasks: our own line passes, the usual wrong ones are shown the case that tells."""

import math

import pytest

from radixlab.lesson.tasks import TASKS, verdict

WRONG = {
    "01/blocks_needed": lambda num_tokens, block_size: num_tokens // block_size,
    "02/child_key": lambda tokens, block_size: tokens[:1],
    "03/blocks_in_use": lambda tables: sum(map(len, tables)),
    "04/must_copy": lambda num_tables, is_in_tree: num_tables > 1,
    "05/gap_closed": lambda hit, lru, optimum: hit / optimum,
    "06/merged_lse": lambda a, b: math.log(math.exp(a) + math.exp(b)),
    "07/slope": lambda sizes, costs: costs[1] / costs[0] / (sizes[1] / sizes[0]),
}


@pytest.mark.parametrize("key", TASKS)
def test_our_line_passes_and_is_what_the_last_hint_says(key):
    assert verdict(TASKS[key], "f", TASKS[key].answer).status == "passed"


@pytest.mark.parametrize("key", TASKS)
def test_a_usual_wrong_line_is_shown_the_case_that_tells(key):
    found = verdict(TASKS[key], "f", WRONG[key])
    assert found.status == "failed" and "f(" in found.message


def test_dots_are_not_yet_an_answer():
    assert verdict(TASKS["01/blocks_needed"], "f", lambda *_: ...).status == "stub"


def test_an_error_is_told_and_not_raised():
    assert "ZeroDivisionError" in verdict(TASKS["07/slope"], "f", lambda *_: 1 / 0).message


def test_true_is_not_one():
    assert verdict(TASKS["01/blocks_needed"], "f", lambda n, size: n > 0).status == "failed"
