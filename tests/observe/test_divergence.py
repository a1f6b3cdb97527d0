"""Where two runs part: the quick comparison finds what comparing whole states finds."""

import numpy as np
import pytest

from radixlab.cache import RadixTree
from radixlab.events import EVENT_TYPES, BlockRemoved, BlockStored, PrefixMatched, WrittenBack
from radixlab.observe import NodeState, State, watch
from radixlab.observe.deeds import _RULES, deed_words
from radixlab.observe.divergence import Run, first_divergence, verdict
from tests.observe.lives import live, small_cache
from tests.observe.pairs import pairs, served, slow_divergence

SEEDS = range(4)
SAME = {"same", "explained", "renamed", "trees"}


@pytest.mark.parametrize(
    "seed", [*SEEDS, *(pytest.param(s, marks=pytest.mark.soak) for s in range(4, 60))]
)
def test_the_first_divergence_is_the_one_of_the_slow_comparison(seed):
    for kind, a, b in pairs(range(seed, seed + 1)):
        for one, two in ((a, b), (b, a)):
            found = first_divergence(one, two)
            assert (found and found.at) == slow_divergence(one, two), kind
            assert found is None or kind not in SAME, kind
            assert verdict(one, two) == (found.text if found else verdict(one, one)), kind


def test_the_pairs_part_early_late_and_never():
    found = [first_divergence(a, b) for _, a, b in pairs(SEEDS)]
    ats = [one.at for one in found if one]
    assert min(ats) == 0 and max(ats) > 100 and len(set(ats)) > 10
    assert found.count(None) >= 4 * len(SEEDS)


def test_two_policies_part_at_the_first_victim_they_disagree_on():
    found = first_divergence(served("lru", 1), served("mru", 1))
    assert "lru evicted" in found.text and "mru evicted" in found.text
    assert found.text.startswith(
        f"The runs part in request {found.request}, at event {found.at + 1}:"
    )


def test_the_request_is_counted_by_starts():
    a = served("lru", 1)
    found = first_divergence(a, served("mru", 1))
    starts = [e for e in a.events[: found.at + 1] if type(e).__name__ == "SequenceStarted"]
    assert found.request == len(starts)


def test_what_only_explains_does_not_part_runs():
    a = BlockRemoved(0, 0, 1, ((0, 1),), "least recent", 4)
    b = BlockRemoved(9, 3, 1, ((0, 1),), "fewest hits", 7)
    stored = BlockStored(0, 0, 1, None, None, None, 0, ((0, 1),), 0, (1, 2))
    runs = [Run(name, State(4, 2), [stored, last]) for name, last in (("a", a), ("b", b))]
    assert first_divergence(*runs) is None
    backs = [WrittenBack(1, 0, 1, 1, ((0, 1),), ((0, 1),), r, 4) for r in ("oldest", "rarest")]
    hosts = [Run(r.reason, State(4, 2, num_host_blocks=1), [stored, r]) for r in backs]
    assert first_divergence(*hosts) is None
    full = BlockRemoved(9, 3, 1, ((0, 1),), "fewest hits, host full", 7)
    assert first_divergence(runs[0], Run("c", State(4, 2), [stored, full])).at == 1


def test_equal_words_name_the_fact_that_differs():
    def run(name, hit):
        first = served("lru", 0).events[0]
        match = PrefixMatched(1, 0, 0, None, 0, 9, None, None, 1, host_hit_tokens=hit)
        return Run(name, State(24, 2), [first, match])

    assert verdict(run("a", 0), run("b", 1)).endswith(
        "a and b found 0 of 9 tokens for sequence 0, but host_hit_tokens differs."
    )


def test_first_states_are_compared_by_what_they_hold():
    node = NodeState(1, None, None, [1, 2], [0])
    other = NodeState(5, None, None, [1, 2], [0], num_hits=3, tick=8)
    a, b, c = (
        Run(name, State(4, 2, nodes={n.id: n} if n else {}), [])
        for name, n in (("a", node), ("b", other), ("c", None))
    )
    assert first_divergence(a, b) is None
    assert verdict(a, c) == "The runs begin in different states: they hold different contents."
    sizes = "The runs begin in different states: 4 and 8 blocks."
    assert verdict(c, Run("d", State(8, 2), [])) == sizes


def test_a_node_id_given_again_is_another_node():
    def run(name, second):
        events = []
        for id in (1, second):
            events.append(BlockStored(0, 0, id, None, None, None, 0, ((0, 1),), 0, (1, 2)))
            events.append(BlockRemoved(0, 0, id, ((0, 1),), "evicted", 0))
        return Run(name, State(4, 2), events)

    assert first_divergence(run("a", 1), run("b", 2)) is None


def test_a_learners_tree_parts_from_ours_where_its_lock_stops_halfway():
    class Halfway(RadixTree):
        def lock(self, node):
            receipt = super().lock(node)
            self.match_prefix([1, 2, 3, 4, 9, 9])  # a lock that splits
            return receipt

    runs = []
    for name, tree in (("ours", RadixTree(2)), ("mine", Halfway(2))):
        events = []
        watched = watch(tree, 2, 8, emit=events.append)
        node = watched.insert([1, 2, 3, 4, 5, 6], np.arange(3, dtype=np.int32)).node
        watched.lock(node)
        runs.append(Run(name, State(8, 2), events))
    assert verdict(*runs) == (
        "The runs part before the first request, at event 2: ours locked node 1, "
        "mine split node 1 after 2 blocks."
    )


def test_every_type_of_event_has_words():
    assert _RULES.keys() == EVENT_TYPES.keys()
    for seed in range(10):
        events = []
        for _ in live(small_cache(events.append), seed):
            pass
        assert all(len(deed_words(event)) > 8 for event in events)
