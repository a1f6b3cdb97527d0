"""Token ids are memory: one growable int32 buffer a request, whose written entries never change."""

import numpy as np
import pytest

from radixlab.cache import Tokens, as_tokens
from tests.cache.helpers import Checked, text


@pytest.mark.parametrize(
    "given",
    [
        [1, 2, 3],
        (1, 2, 3),
        range(1, 4),
        np.array([1, 2, 3]),
        np.array([1, 2, 3], np.uint8),
        np.array([1, 2, 3], ">i4"),
        np.array([1, 9, 2, 9, 3], np.int32)[::2],
        Tokens([1, 2, 3]),
    ],
    ids=["list", "tuple", "range", "int64", "uint8", "big-endian", "strided", "Tokens"],
)
def test_ids_come_in_any_integer_form(given):
    tokens = Tokens(given)
    assert tokens.token_ids.dtype == np.int32
    assert tokens.token_ids.tolist() == [1, 2, 3]


@pytest.mark.parametrize("extreme", [-(2**31), -1, 0, 2**31 - 1])
def test_every_int32_is_a_token_id(extreme):
    assert Tokens([extreme]).token_ids.tolist() == [extreme]


def test_none_at_all_is_an_empty_buffer():
    assert len(Tokens()) == len(Tokens([])) == len(Tokens(np.empty(0, np.int64))) == 0


def test_the_buffer_is_a_copy_of_what_came_in():
    mine = np.array([1, 2, 3], np.int32)
    tokens = Tokens(mine)
    mine[:] = 0
    assert tokens.token_ids.tolist() == [1, 2, 3]


def test_growth_leaves_old_views_as_they_were():
    tokens = Tokens([1])
    views = []
    for token in range(2, 200):
        views.append((tokens.token_ids, list(range(1, token))))
        tokens.append(np.array([token], np.int32))
    assert all(view.tolist() == then for view, then in views)
    assert tokens.token_ids.tolist() == list(range(1, 200))


def test_ids_cannot_be_written_from_outside():
    with pytest.raises(ValueError, match="read-only"):
        Tokens([1, 2]).token_ids[0] = 7


def test_a_prefix_is_a_buffer_of_its_own():
    tokens = Tokens([1, 2, 3])
    prefix = tokens.prefix(2)
    prefix.append(np.array([9], np.int32))
    assert (tokens.token_ids.tolist(), prefix.token_ids.tolist()) == ([1, 2, 3], [1, 2, 9])


def test_tokens_are_passed_through_and_lists_converted():
    tokens = Tokens([1, 2])
    assert as_tokens(tokens) is tokens
    assert as_tokens([1, 2]).token_ids.tolist() == [1, 2]


def test_a_buffer_serves_one_sequence_and_is_copied_for_the_next():
    lab, prompt = Checked(), Tokens(text("ab"))
    first, second = lab.allocate(prompt), lab.allocate(prompt)
    lab.append(first, [7])
    assert first.tokens is prompt
    assert second.token_ids.tolist() == text("ab")


def test_a_sequences_ids_stay_readable_after_its_end():
    lab = Checked()
    sequence = lab.allocate(text("a"))
    view = sequence.token_ids
    lab.append(sequence, text("bcd"))
    lab.release(sequence)
    assert view.tolist() == text("a")
    assert sequence.token_ids.tolist() == text("abcd")
