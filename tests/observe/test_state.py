"""The fold over the events is the cache: so a view drawn from it cannot lie, and can rewind."""

from dataclasses import FrozenInstanceError

import pytest

from radixlab.events import EVENT_TYPES, BlocksFreed, BlockStored, NodeSplit
from radixlab.observe import State, attach, copy_state, fold, fold_all, snapshot
from tests.observe.lives import CALLS, NUM_HOST_BLOCKS, live, small_cache

SEEDS = range(12)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_fold_equals_the_engine_after_every_call(seed):
    "T5"
    state = State(16, 2, num_host_blocks=NUM_HOST_BLOCKS)
    manager = small_cache(lambda event: fold(state, event))
    for call in live(manager, seed):
        assert state == snapshot(manager), call


@pytest.mark.parametrize("seed", SEEDS)
def test_the_fold_goes_on_from_a_snapshot_in_mid_run(seed):
    "T5: a keyframe, then the events since"
    manager = small_cache()
    for _ in live(manager, seed, 30):
        pass
    state = snapshot(manager)
    attach(manager, lambda event: fold(state, event))
    for call in live(manager, seed + 100, 40):
        assert state == snapshot(manager), call


def test_the_random_lives_do_everything():
    done = {call for seed in SEEDS for call in live(small_cache(), seed)}
    assert done >= set(CALLS)
    assert {"allocate failed", "append failed", "reset failed"} <= done


def test_the_random_lives_emit_every_event_of_a_manager():
    seen = set()
    for seed in range(30):
        for _ in live(small_cache(lambda event: seen.add(type(event).__name__)), seed):
            pass
    assert seen == EVENT_TYPES.keys() - {"TreeResynced", "PartBroke", "StreamReported"}


@pytest.mark.parametrize("seed", SEEDS)
def test_events_are_numbered_without_gaps(seed):
    "T5"
    numbers = []
    for _ in live(small_cache(lambda event: numbers.append(event.seq)), seed):
        pass
    assert numbers == list(range(len(numbers)))


def test_numbers_go_on_for_a_listener_that_comes_later():
    "T5"
    first, second = [], []
    manager = small_cache(lambda event: first.append(event.seq))
    list(live(manager, 0, 10))
    attach(manager, lambda event: second.append(event.seq))
    list(live(manager, 1, 10))
    assert first == list(range(len(first)))
    assert second == first[-len(second) :]


@pytest.mark.parametrize("seed", SEEDS)
def test_the_parent_of_every_stored_block_is_known(seed):
    "T5"
    known = {None}

    def listen(event):
        if isinstance(event, NodeSplit):
            known.add(event.upper_id)
        elif isinstance(event, BlockStored):
            assert event.parent_id in known
            known.add(event.node_id)

    for _ in live(small_cache(listen), seed):
        pass


def test_events_carry_the_step_that_the_caller_sets():
    events = []
    manager = small_cache(events.append)
    manager.log.step = 7
    manager.allocate([1, 2, 3])
    assert {event.step for event in events} == {7}


def test_what_is_freed_is_told():
    "T6: the free list as told by events"
    events = []
    manager = small_cache(events.append)
    sequence = manager.allocate([1, 2, 3])
    manager.release(sequence)
    (freed,) = (event for event in events if isinstance(event, BlocksFreed))
    assert freed.block_runs == ((0, 2),)


def test_without_a_listener_nothing_is_numbered():
    manager = small_cache()
    list(live(manager, 0))
    assert manager.log.seq == 0


def test_a_listener_changes_nothing():
    silent, heard = small_cache(), small_cache(lambda event: None)
    for _ in zip(live(silent, 3), live(heard, 3), strict=True):
        assert snapshot(silent) == snapshot(heard)


def test_events_cannot_be_changed():
    events = []
    small_cache(events.append).allocate([1])
    with pytest.raises((FrozenInstanceError, AttributeError, TypeError)):
        events[0].seq = 9


def test_a_copied_state_stands_still():
    state, events = State(16, 2, num_host_blocks=NUM_HOST_BLOCKS), []
    manager = small_cache(events.append)
    for _ in live(manager, 5):
        pass
    half = copy_state(fold_all(state, events[: len(events) // 2]))
    again = copy_state(half)
    fold_all(half, events[len(events) // 2 :])
    assert half == snapshot(manager)
    assert again == state != half


def test_an_event_of_no_known_type_is_named():
    class Surprise:
        seq = step = 0

    with pytest.raises(KeyError, match="Surprise"):
        fold(State(4, 2), Surprise())


def test_a_path_is_read_from_the_bottom_up():
    manager = small_cache()
    for prompt in ([1, 1, 2, 2], [1, 1, 3, 3]):
        sequence = manager.allocate(prompt)
        manager.commit(sequence, 4)
    state = snapshot(manager)
    path = [node.tokens for node in state.path(state.sequences[1].node_id)]
    assert path == [[3, 3], [1, 1]]
    assert list(state.path(None)) == []
