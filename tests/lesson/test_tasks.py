"""One-line tasks: our own line passes, the usual wrong ones are shown the case that tells."""

import itertools
import math

import numpy as np
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


RIGHT = {  # as many other lines do it
    "01/blocks_needed": [
        lambda n, size: math.ceil(n / size),
        lambda n, size: (n + size - 1) // size,
        lambda n, size: n // size + (n % size > 0),
        lambda n, size: np.ceil(n / size),
        lambda n, size: len(range(0, n, size)),
    ],
    "02/child_key": [
        lambda tokens, size: tokens[:size],
        lambda tokens, size: tokens[:size] if len(tokens) >= size else None,
        lambda tokens, size: tuple(tokens[i] for i in range(size)),
        lambda tokens, size: tokens[0:size] or None,
    ],
    "03/blocks_in_use": [
        lambda tables: len({block for table in tables for block in table}),
        lambda tables: len(set(itertools.chain(*tables))),
        lambda tables: np.unique([block for table in tables for block in table]).size,
        lambda tables: np.int64(len(set().union(*tables))),
    ],
}
ALL_WRONG = [
    ("01/blocks_needed", lambda n, size: n / size),
    ("01/blocks_needed", lambda n, size: n // size + 1),
    ("01/blocks_needed", lambda n, size: round(n / size)),
    ("01/blocks_needed", lambda n, size: str(-(-n // size))),
    ("01/blocks_needed", lambda n, size: None),
    ("02/child_key", lambda tokens, size: tokens),
    ("02/child_key", lambda tokens, size: tokens[0]),
    ("02/child_key", lambda tokens, size: tokens[1:size]),
    ("02/child_key", lambda tokens, size: list(tokens[:size])),
    ("02/child_key", lambda tokens, size: hash(tokens[:size])),
    ("03/blocks_in_use", lambda tables: len(tables)),
    ("03/blocks_in_use", lambda tables: max(map(len, tables), default=0)),
    ("03/blocks_in_use", lambda tables: set().union(*tables)),
]


@pytest.mark.parametrize("key", RIGHT)
def test_other_right_lines_pass(key):
    found = [verdict(TASKS[key], "f", function) for function in RIGHT[key]]
    assert [v.message for v in found if v.status != "passed"] == []


@pytest.mark.parametrize(("key", "function"), ALL_WRONG)
def test_what_is_wrong_in_value_fails_on_a_value(key, function):
    """The shown case must be one in which the number itself is wrong, not its type."""
    found = verdict(TASKS[key], "f", function)
    assert found.status == "failed"
    told = found.message.removesuffix(".").partition(" is ")[2].split(", and yours returned ")
    assert told[0] != told[1].removesuffix(".0")


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
