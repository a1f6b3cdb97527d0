import numpy as np
import pytest

pytest.importorskip("torch", reason="torch is not installed: the extra `model` brings it")

from hypothesis import given
from hypothesis import strategies as st

from radixlab.attention import AttentionError, flat_plan, tree_plan
from radixlab.cache import CacheConfig, KVCacheManager
from tests.attention.plans import BLOCK, expected, reads, running


def tables(sequences):
    widest = max(len(s.block_table) for s in sequences)
    padded = [np.pad(s.block_table, (0, widest - len(s.block_table))) for s in sequences]
    return np.stack(padded), np.array([s.num_tokens for s in sequences])


PROMPTS = st.lists(st.lists(st.integers(0, 1), min_size=1, max_size=40), min_size=1, max_size=8)


@given(PROMPTS, st.integers(1, 4))
def test_both_plans_read_exactly_every_sequences_own_tokens(prompts, group):
    _, sequences = running(*prompts)
    assert reads(tree_plan(sequences, BLOCK, group)) == expected(sequences)
    assert reads(flat_plan(*tables(sequences), BLOCK)) == expected(sequences)


@given(PROMPTS, st.integers(1, 4))
def test_a_tree_plan_never_reads_more_than_a_flat_one(prompts, group):
    _, sequences = running(*prompts)
    tree, flat = tree_plan(sequences, BLOCK, group), flat_plan(*tables(sequences), BLOCK)
    assert tree.kv_tokens_read <= flat.kv_tokens_read == sum(s.num_tokens for s in sequences)


@given(PROMPTS, st.integers(1, 3))
def test_pieces_read_the_same(prompts, blocks):
    _, sequences = running(*prompts)
    plan = tree_plan(sequences, BLOCK).chunked(blocks * BLOCK)
    assert plan.num_tokens.max() <= blocks * BLOCK
    assert reads(plan) == expected(sequences)


@given(PROMPTS, st.randoms(use_true_random=False))
def test_each_span_may_have_pieces_of_its_own_length(prompts, random):
    _, sequences = running(*prompts)
    whole = tree_plan(sequences, BLOCK)
    longest = np.array([random.randint(1, 3) * BLOCK for _ in range(whole.num_spans)])
    cut = whole.chunked(longest)
    assert reads(cut) == expected(sequences)
    assert cut.num_spans == sum(-(-whole.num_tokens // longest))


def test_a_document_is_read_once_for_all_who_share_it():
    document = list(range(40))
    _, sequences = running(*([*document, 100 + i, 200 + i] for i in range(5)))
    plan = tree_plan(sequences, BLOCK)
    assert plan.num_queries.tolist() == [5, 1, 1, 1, 1, 1]
    assert plan.kv_tokens_read == 40 + 5 * 2


def test_every_level_of_the_tree_is_a_span():
    parts = [list(range(1000 * i, 1000 * i + 24)) for i in range(8)]
    paths = ((0, 1, 3), (0, 1, 4), (0, 2, 5), (0, 2, 6))
    _, sequences = running(*(parts[a] + parts[b] + parts[c] for a, b, c in paths))
    assert tree_plan(sequences, BLOCK).num_queries.tolist() == [4, 2, 1, 1, 2, 1, 1]


def test_a_small_node_goes_into_the_spans_of_its_children():
    "Reading T tokens once for S pays if T > 2·G·S/(S-1)."
    _, sequences = running(*([*range(8), 100 + i] for i in range(2)))
    assert tree_plan(sequences, BLOCK, group_size=1).num_queries.tolist() == [2, 1, 1]
    assert tree_plan(sequences, BLOCK, group_size=2).num_queries.tolist() == [1, 1]


def test_where_nothing_is_shared_the_tree_plan_is_the_flat_plan():
    _, sequences = running(*([i] * 11 for i in range(4)))
    tree, flat = tree_plan(sequences, BLOCK), flat_plan(*tables(sequences), BLOCK)
    assert tree.num_spans == flat.num_spans == 4
    assert reads(tree) == reads(flat)


def test_a_fork_that_ends_inside_a_node_reads_only_its_own_tokens():
    manager, sequences = running(list(range(30)))
    sequences += [manager.fork(sequences[0], n) for n in (30, 18, 16, 3)]
    assert reads(tree_plan(sequences, BLOCK)) == expected(sequences)


def test_namespaces_share_nothing():
    manager = KVCacheManager(CacheConfig(60, BLOCK))
    sequences = []
    for namespace in (None, ("salt", "a"), ("salt", "b")):
        sequences.append(manager.allocate(list(range(20)), namespace))
        manager.commit(sequences[-1], 20)
    assert tree_plan(sequences, BLOCK).num_queries.tolist() == [1, 1, 1]


def test_an_empty_batch_has_an_empty_plan():
    plan = tree_plan([], BLOCK)
    assert (plan.num_spans, plan.kv_tokens_read, plan.first_part.tolist()) == (0, 0, [0])


@pytest.mark.parametrize("lens", [[0], [9], [-1]])
def test_a_length_that_the_table_cannot_hold_is_refused(lens):
    with pytest.raises(AttentionError, match=rf"context_lens\[0\] is {lens[0]}: .* 1 to 8"):
        flat_plan(np.zeros((1, 2), np.int32), np.array(lens), BLOCK)


def test_pieces_must_end_at_blocks():
    _, sequences = running([1, 2, 3])
    with pytest.raises(AttentionError, match="6: it must be a multiple of the block size, 4"):
        tree_plan(sequences, BLOCK).chunked(6)
    with pytest.raises(AttentionError, match="6: it must be a multiple of the block size, 4"):
        tree_plan(sequences, BLOCK).chunked(np.array([6]))


@pytest.mark.parametrize("longest", [[], [4, 4], [[4]], [4.0], [2**40], [0], [-4]], ids=repr)
def test_piece_lengths_that_do_not_fit_the_spans_are_refused(longest):
    _, sequences = running([1, 2, 3])
    with pytest.raises(AttentionError, match="max_tokens"):
        tree_plan(sequences, BLOCK).chunked(np.array(longest))


NOT_COUNTS = [0, -4, True, 4.0, "4", None, np.float32(4)]


@pytest.mark.parametrize("size", NOT_COUNTS, ids=repr)
def test_a_block_size_that_is_no_count_is_refused(size):
    _, sequences = running([1, 2, 3])
    for make in (
        lambda: flat_plan(*tables(sequences), size),
        lambda: tree_plan(sequences, size),
        lambda: tree_plan(sequences, BLOCK, size),
        lambda: tree_plan(sequences, BLOCK).chunked(size),
    ):
        with pytest.raises(AttentionError, match=r"must be an integer above 0, not"):
            make()


def test_a_plan_does_not_follow_its_callers_arrays():
    manager, sequences = running([*range(9)], [5] * 6)
    block_tables, lens = (array.astype(np.int32) for array in tables(sequences))
    plan = flat_plan(block_tables, lens, BLOCK)
    before = reads(plan)
    lens += 1
    block_tables[:] = 0
    assert reads(plan) == before == expected(sequences)
    tree = tree_plan(sequences, BLOCK)
    for sequence in sequences:
        manager.append(sequence, [1, 2, 3, 4, 5])
    assert reads(tree) == before
