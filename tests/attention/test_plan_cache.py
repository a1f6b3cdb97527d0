"""A plan that is kept from step to step, beside one made anew; driven by the real manager."""

import sys

import numpy as np
import pytest

pytest.importorskip("torch", reason="torch is not installed: the extra `model` brings it")

from hypothesis import given
from hypothesis import strategies as st

from radixlab.attention import AttentionError, PlanCache, tree_plan
from radixlab.cache import CacheConfig, CacheError, KVCacheManager
from tests.attention.plans import BLOCK, expected, reads, running, spans

PARTS = [list(range(100 * i, 100 * i + n)) for i, n in enumerate((24, 24, 9, 3, 40))]
NUMBERS = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 999)), min_size=1, max_size=40)


def act(manager, sequences, verb, number):
    """Let one thing happen to the running sequences, as an engine might."""
    one = sequences[number % len(sequences)] if sequences else None
    if verb <= 1 or one is None:
        prompt = PARTS[number % 5] + PARTS[number // 5 % 5] + [number % 7]
        sequences.append(manager.allocate(prompt))
    elif verb <= 4:
        for sequence in sequences:
            manager.complete(manager.append(sequence, [number % 5]))
    elif verb == 5:
        manager.commit(one, one.num_tokens)
    elif verb == 6:
        sequences.append(manager.fork(one, 1 + number % one.num_tokens))
    elif verb == 7:
        manager.complete(manager.prepare_write(one, number % one.num_tokens, one.num_tokens))
    elif verb == 8:
        manager.evict(number % 20)
    else:
        manager.release(one)
        sequences.remove(one)


@given(NUMBERS, st.integers(1, 4))
def test_a_kept_plan_is_the_plan_made_anew(actions, group):
    manager, sequences = KVCacheManager(CacheConfig(150, BLOCK)), []
    plans = PlanCache(BLOCK, group)
    for verb, number in actions:
        try:
            act(manager, sequences, verb, number)
        except CacheError:
            continue  # the pool is full: nothing has changed
        kept, fresh = plans.plan(sequences), tree_plan(sequences, BLOCK, group)
        assert reads(kept) == expected(sequences)
        assert spans(kept) == spans(fresh)


def fails_at(call, function):
    """Let the given call or return raise while the function runs; return whether it came to it."""
    countdown = [call]

    def watch(frame, event, arg):
        countdown[0] -= event in ("call", "return")
        if countdown[0] == 0:
            raise MemoryError

    sys.setprofile(watch)
    try:
        function()
    except MemoryError:
        pass
    finally:
        sys.setprofile(None)
    return countdown[0] <= 0


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("num_before", [1, 2, 4])
def test_a_fault_anywhere_in_a_plan_leaves_no_half_of_it(num_before):
    "A fault at any call boundary of a plan leaves nothing behind: the next plan is right"
    _, sequences = running(*([*PARTS[4], *PARTS[0], i] for i in range(4)))
    call = 1
    while True:
        plans = PlanCache(BLOCK)
        plans.plan(sequences[:num_before])
        failed = fails_at(call, lambda plans=plans: plans.plan(sequences[1:3]))
        kept = plans.plan(sequences[1:3])
        assert spans(kept) == spans(tree_plan(sequences[1:3], BLOCK))
        assert len(kept.order) == 2
        if not failed:
            break
        call += 1
    assert call > 20


def test_decoding_makes_no_new_plan():
    manager, sequences = running(*([*PARTS[4], *PARTS[0], i] for i in range(5)))
    plans = PlanCache(BLOCK)
    first = plans.plan(sequences)
    for token in range(20):
        for sequence in sequences:
            manager.append(sequence, [token])
            manager.commit(sequence, sequence.num_tokens)
        assert plans.plan(sequences) is first
    assert (plans.num_built, reads(first)) == (1, expected(sequences))


@pytest.mark.parametrize("event", ["release", "allocate", "commit"])
def test_a_change_of_who_shares_what_makes_a_new_plan(event):
    manager, sequences = running(*([*PARTS[4], i] for i in range(3)))
    twins = [manager.allocate([*PARTS[0], *PARTS[1]]) for _ in range(2)]  # neither sees the other
    manager.commit(twins[0], 48)
    plans = PlanCache(BLOCK)
    plans.plan(sequences + twins)
    if event == "release":
        manager.release(sequences.pop(0))
    elif event == "allocate":
        sequences.append(manager.allocate([*PARTS[4], 9]))
    else:
        manager.commit(twins[1], 48)
    assert reads(plans.plan(sequences + twins)) == expected(sequences + twins)
    assert plans.num_built == 2


def test_a_split_by_a_passer_by_keeps_the_plan():
    manager, sequences = running(*([*PARTS[4], i] for i in range(3)))
    plans = PlanCache(BLOCK)
    plans.plan(sequences)
    manager.release(manager.allocate([*PARTS[4][:12], 5]))
    for plan in (plans.plan(sequences), tree_plan(sequences, BLOCK)):
        assert plan.num_tokens.tolist() == [40, 1, 1, 1]
    assert plans.num_built == 1


def test_layers_share_what_is_made_of_a_plan_until_it_grows():
    manager, sequences = running(PARTS[4])
    plans, made = PlanCache(BLOCK), []
    for _ in range(2):
        plan = plans.plan(sequences)
        for _ in range(3):
            plan.once("tokens", lambda plan=plan: made.append(plan.kv_tokens_read))
        manager.append(sequences[0], [1])
    assert made == [40, 41]


def test_a_released_sequence_is_refused():
    manager, sequences = running([1, 2, 3])
    manager.release(sequences[0])
    with pytest.raises(AttentionError, match="sequence 0 was released"):
        tree_plan(sequences, BLOCK)


def test_rows_that_end_where_others_go_on_have_no_span_of_their_own():
    manager, sequences = running(PARTS[4])
    manager.append(sequences[0], [1])
    sequences.append(manager.fork(sequences[0], 40))
    plan = tree_plan(sequences, BLOCK)
    assert (plan.num_tokens.tolist(), plan.num_queries.tolist()) == ([40, 1], [2, 1])
    assert np.array_equal(np.sort(plan.order), [0, 1])


def test_a_parting_that_has_moved_makes_a_new_plan():
    manager, sequences = running([*PARTS[4], 7])
    sequences.append(manager.fork(sequences[0]))
    plans = PlanCache(BLOCK)
    assert plans.plan(sequences).num_tokens.tolist() == [40, 1, 1]
    manager.complete(manager.prepare_write(sequences[1], 36, 41))
    for sequence in sequences:  # the first lengthens the node, the second finds it
        manager.complete(manager.append(sequence, [1, 2, 3, 4]))
        manager.commit(sequence, 45)
    assert plans.plan(sequences).num_tokens.tolist() == [44, 1, 1]


def test_another_sequence_in_the_same_place_is_another_plan():
    manager, sequences = running(*([*PARTS[4], i] for i in range(2)))
    plans = PlanCache(BLOCK)
    plans.plan(sequences)
    manager.release(sequences[1])
    sequences[1] = manager.allocate([*PARTS[0], *PARTS[1][:17]])
    assert reads(plans.plan(sequences)) == expected(sequences)
