"""The parts without a server: which counts are possible, and what evidence amounts to."""

import itertools

import pytest

from radixlab.certify.answer import Answer, Choice, Token, Usage, streamed, whole
from radixlab.certify.compare import compare
from radixlab.certify.grid import Grid
from radixlab.certify.outcome import Seen, judge
from radixlab.certify.prompts import Prompts

CERTAIN, REPEATED, SINGLE, RIGHT = (
    Seen("asked", "1", "0", kind == "right", "single" if kind == "right" else kind)
    for kind in ("certain", "repeated", "single", "right")
)


@pytest.mark.parametrize("is_disturbed", [True, False, None])
@pytest.mark.parametrize("wrong", [CERTAIN, REPEATED, SINGLE])
def test_only_what_nobody_else_can_explain_fails_a_busy_server(wrong, is_disturbed):
    verdict, reason = judge([RIGHT, wrong, RIGHT], is_disturbed, "fine")
    told = {CERTAIN: {True, False, None}, REPEATED: {False, None}, SINGLE: {False}}[wrong]
    assert verdict == ("fail" if is_disturbed in told else "cannot tell")
    assert "asked: 1, and it should be 0" in reason


def test_right_evidence_passes_and_certain_faults_come_first():
    assert judge([RIGHT], True, "fine") == ("pass", "fine")
    assert judge([SINGLE, CERTAIN], True, "")[0] == "fail"


@pytest.mark.parametrize("step, minimum", [(1, 0), (16, 16), (128, 1024)])
def test_possible_counts_are_steps_that_leave_a_token(step, minimum):
    grid = Grid(step, minimum)
    for shared, length in itertools.product((0, 1, 15, 16, 17, 1023, 1024, 1300), (17, 1024, 1301)):
        for count in grid.possible((shared, shared), (length, length)):
            assert count % step == 0 and count <= shared and count < length
            assert count == 0 or count >= minimum
            assert min(shared, length - 1) - count < max(step, minimum)


def test_a_fork_shares_what_it_says_and_no_digit_more():
    prompts = Prompts("seed", 100, 5000)
    for kept in (0, 1, 7, 20):
        first = prompts.fresh(20)
        fork = prompts.fork(first, kept, 24)
        assert len(fork) == 24 and first.num_shared(fork) == kept
        if kept < 20:
            words = [each.text().split()[kept] for each in (first, fork)]
            assert words[0][0] != words[1][0]


def answer(text, tokens=()):
    choice = Choice(text, "length", [Token(*each) for each in tokens])
    return Answer((choice,), Usage(), {})


@pytest.mark.parametrize(
    "one, other, kind",
    [
        (answer("a"), answer("a"), "same"),
        (answer("a"), answer("b"), "unknown"),
        (answer("a", [("a", -1.0, 0.05)]), answer("b", [("b", -1.0, 0.1)]), "tie"),
        (answer("a", [("a", -1.0, 3.0)]), answer("b", [("b", -1.0, 0.1)]), "different"),
        (answer("a", [("a", -1.0, 3.0)]), answer("a", [("a", -1.4, 3.0)]), "same"),
        (answer("a", [("a", -1.0, 3.0)]), answer("a", [("a", -2.0, 3.0)]), "different"),
        (answer("a", [("a", -1.0, 3.0)]), answer("b", [("a", -1.0, 3.0)]), "different"),
        (answer("a", [("a", -1.0, 3.0)]), answer("b"), "unknown"),
    ],
)
def test_a_tie_is_told_from_a_difference(one, other, kind):
    assert compare(one, other).kind == kind


def test_a_stream_is_put_together_by_index():
    parts = [(1, "c", None), (0, "a", None), (1, "d", "stop"), (0, "b", "length")]
    chunks = [
        {"choices": [{"index": index, "text": text, "finish_reason": reason}]}
        for index, text, reason in parts
    ]
    made = streamed([*chunks, {"choices": [], "usage": {"prompt_tokens": 3}}], {})
    assert (made.texts, made.finish_reasons) == (("ab", "cd"), ("length", "stop"))
    assert made.usage == Usage(3, None, None)
    body = {"choices": [{"message": {"content": None}, "finish_reason": "stop"}]}
    assert whole(body, {}).texts == ("",)
