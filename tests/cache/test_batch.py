"""A batched look-up equals the same look-ups one by one, whatever they share (rule S8)."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radixlab.cache import CountError, NamespaceError, RadixTree, TokenError, Tokens
from radixlab.cache.batch import match_batch, peek_batch
from tests.cache.helpers import (
    ADAPTER,
    BLOCK_SIZE,
    SALT,
    Checked,
    cached,
    ids,
    refused,
    text,
    tree,
)

letters = st.text("abc.", max_size=12)
many_letters = st.lists(letters, max_size=12)


def in_detail(found):
    """Return a result so that it can be compared."""
    return found.node, found.child, found.child_blocks, found.num_blocks, found.block_ids.tolist()


def one_by_one(radix_tree, prompts, namespaces=None, spare_tokens=0):
    """Look the prompts up by the tree's own walk."""
    namespaces = namespaces or [None] * len(prompts)
    pairs = zip(map(Tokens, prompts), namespaces, strict=True)
    sizes = [(t, max(0, len(t) - spare_tokens) // BLOCK_SIZE, n) for t, n in pairs]
    return [radix_tree.find(*each) for each in sizes]


def in_batch(*args, **kwargs):
    return list(map(in_detail, match_batch(*args, **kwargs)))


def grown(*prompts, namespaces=(None,)):
    """Return a tree into which prompts were inserted one after another, namespaces in turn."""
    radix_tree, next_id = RadixTree(BLOCK_SIZE), 0
    for place, prompt in enumerate(map(text, prompts)):
        block_ids = np.arange(next_id, next_id + len(prompt) // BLOCK_SIZE)
        radix_tree.insert(prompt, block_ids, namespaces[place % len(namespaces)])
        next_id += len(block_ids)
    return radix_tree


@pytest.mark.parametrize(
    "prompts",
    [
        "abc abd ab. a x",
        "abcd abce abcf",
        "abc abc abc",
        "a ab abc abcd abcde",
        "abcde abcd abc ab a",
        "abxy abzy ab a.",
        "ghi ghj gh abc",
        "abcx abcy abcx abdz",
    ],
)
def test_a_batch_finds_what_single_look_ups_find(prompts):
    radix_tree = tree("ab(c(d|e)|d(e))|gh")
    batch = [text(prompt) for prompt in prompts.split()]
    assert in_batch(radix_tree, batch) == list(map(in_detail, one_by_one(radix_tree, batch)))


@given(many_letters, many_letters, st.integers(0, 6))
def test_whatever_is_cached_a_batch_equals_the_loop(grown_by, prompts, spare_tokens):
    "S8"
    radix_tree = grown("a", *grown_by)
    batch = list(map(text, prompts))
    expected = one_by_one(radix_tree, batch, spare_tokens=spare_tokens)
    assert in_batch(radix_tree, batch, None, spare_tokens) == list(map(in_detail, expected))


stems = st.integers(0, 40).map(lambda n: "abcdefgh"[: n % 9] + "xyz"[: n % 4])


@settings(max_examples=200)
@given(st.lists(stems, min_size=1, max_size=20), st.lists(stems, max_size=40), st.randoms())
def test_prompts_on_long_paths_are_told_apart(grown_by, prompts, random):
    radix_tree = grown("abcdefgh", *grown_by)
    batch = [text(p[: random.randint(0, 11)] + random.choice(["", "c", "x."])) for p in prompts]
    expected = one_by_one(radix_tree, batch)
    assert in_batch(radix_tree, batch) == list(map(in_detail, expected))


def test_equal_blocks_at_a_nodes_end_do_not_stand_for_the_path():
    radix_tree = tree("ab(c(d|e)|f)")
    batch = [text("abcd"), text("axcd"), text("abxd"), text("xbcd"), text("abce")]
    assert [f.num_blocks for f in match_batch(radix_tree, batch)] == [4, 1, 2, 0, 4]


@given(many_letters, st.lists(st.tuples(letters, st.sampled_from([None, SALT, ADAPTER]))))
def test_namespaces_never_meet_in_a_batch(grown_by, prompts):
    radix_tree = grown(*grown_by, namespaces=(None, SALT))
    batch, namespaces = [text(p) for p, _ in prompts], [n for _, n in prompts]
    found = match_batch(radix_tree, batch, namespaces)
    alone = one_by_one(radix_tree, batch, namespaces)
    assert [f.block_ids.tolist() for f in found] == [f.block_ids.tolist() for f in alone]


def test_a_batch_changes_nothing():
    "S8: nor does one look-up for the next"
    lab = cached(Checked(), "abcd", "abef", "ab")
    batch = [text(p) for p in ("abcx", "abex", "abcd", "q")]
    lab.verify()
    before = list(lab.manager.tree.walk()), lab.manager.tick, len(lab.events)
    match_batch(lab.manager.tree, batch)
    peek_batch(lab.manager.tree, batch)
    assert (list(lab.manager.tree.walk()), lab.manager.tick, len(lab.events)) == before


def test_results_come_in_the_order_of_the_prompts():
    found = peek_batch(tree("ab(c|d)"), [text("abd"), [], text("abc"), text("x"), text("a")])
    assert [each.tolist() for each in found] == [[0, 1, 3], [], [0, 1, 2], [], [0]]


def test_prompts_of_one_document_share_one_result():
    first, second, third = peek_batch(tree("ab(c|d)"), [text("abx"), text("aby"), text("abc")])
    assert first is second
    assert third.tolist() == [0, 1, 2]


def test_shared_ids_cannot_be_written():
    (found,) = peek_batch(tree("ab"), [text("ab")])
    with pytest.raises(ValueError, match="read-only"):
        found[0] = 7


def test_peeking_in_a_batch_stops_where_the_device_does():
    lab = cached(Checked(num_blocks=8, num_host_blocks=8), "abcd")
    lab.evict(2)
    lab.complete(lab.manager.transfers)
    batch = [text("abcd"), text("abcx"), text("ab")]
    alone = [lab.manager.tree.peek(prompt).tolist() for prompt in batch]
    assert [ids.tolist() for ids in peek_batch(lab.manager.tree, batch)] == alone
    assert len(alone[0]) == 2


def test_spare_tokens_are_not_looked_up():
    radix_tree = tree("ab(c)")
    batch = [text("abc"), text("abc."), text("a"), []]
    found = match_batch(radix_tree, batch, spare_tokens=1)
    assert [f.num_blocks for f in found] == [2, 3, 0, 0]


def test_room_that_a_buffer_reserves_is_no_prompt():
    radix_tree = grown("a")
    radix_tree.insert([*text("a"), 0, 0, 0, 0], ids(0, 9))
    batch = [Tokens(text("a"), reserve_tokens=8), Tokens(text("a"), reserve_tokens=8)]
    assert [f.num_blocks for f in match_batch(radix_tree, batch)] == [1, 1]


def test_no_prompts_find_nothing():
    assert match_batch(tree("ab"), []) == [] == peek_batch(tree("ab"), [], [])


def test_an_empty_tree_has_nothing_for_anyone():
    assert [f.num_blocks for f in match_batch(grown(), [text("ab"), text("ab")])] == [0, 0]


@pytest.mark.parametrize(
    ("error", "says", "arguments"),
    [
        (TokenError, ["prompt 1", "'x'"], ([[1], ["x"]],)),
        (NamespaceError, ["prompt 1", "'x'"], ([[1], [2]], [None, "x"])),
        (NamespaceError, [1, 2], ([[1], [2]], [None])),
        (CountError, ["spare_tokens", -1], ([[1]], None, -1)),
    ],
)
def test_bad_input_is_named_by_its_place(error, says, arguments):
    with refused(error, *says):
        match_batch(tree("ab"), *arguments)


@pytest.mark.parametrize("seed", range(5))
def test_questions_about_documents_equal_the_loop(seed):
    rng = np.random.default_rng(seed)
    documents = ["".join(rng.choice(list("abcd"), 20)) for _ in range(3)]
    about = [d[: int(rng.integers(1, 21))] + "".join(rng.choice(list("xyz"), 3)) for d in documents]
    radix_tree = grown(*documents, *about)
    batch = [text(str(rng.choice([*documents, *about])) + str(rng.choice(["x", "y.", "."])))
             for _ in range(60)]  # fmt: skip
    expected = [radix_tree.peek(prompt).tolist() for prompt in batch]
    assert [each.tolist() for each in peek_batch(radix_tree, batch)] == expected
