"""8.5.4: the host is transparent, hostile answers are refused, and the thresholds are fair."""

from types import SimpleNamespace

import pytest

from radixlab.cache import KVCacheManager
from radixlab.config import CacheConfig
from radixlab.exercise.policy import PolicyHost
from radixlab.grade.ex4 import evicted, in_engine
from radixlab.grade.ex4.oracle import LeastRecent
from radixlab.grade.ex4.play import Hosted, WrongVictim, replay_under
from radixlab.grade.ex4.traces import GATES, SCORED, runs
from radixlab.grade.items import Failed, Trial
from radixlab.workloads import GENERATORS, make_manager, replay
from tests.grade.zoo import ZOOS

ZOO = ZOOS["8.5.4"]


def trial(text, seed=0):
    names = {"__name__": "submission"}
    exec(text, names)
    return Trial(SimpleNamespace(**names), seed)


def caught(text, item):
    with pytest.raises(Failed) as error:
        ZOO.items[item].check(trial(text))
    return error.value


@pytest.mark.parametrize("workload", ["scan-polluted", "tenants", "multi-turn-chat"])
def test_lru_in_the_host_is_the_engines_lru(workload):
    requests, config = list(GENERATORS[workload](150, 3)), CacheConfig(900)
    hosted = replay(KVCacheManager(config, policy=in_engine(LeastRecent())), requests)
    assert hosted.by_request == replay(make_manager("lru", config), requests).by_request


@pytest.mark.parametrize("answer", [None, "node 3", 3.0, -1, 10**30, [1], (1, 2, 3), True])
def test_an_answer_that_is_no_candidate_is_refused(answer):
    class Host:
        def victim(self, events):
            return answer, 0

    requests = list(GENERATORS["scan-polluted"](5, 0))
    with pytest.raises(WrongVictim):
        replay_under(Hosted(Host()), CacheConfig(600), requests)


def test_a_key_is_the_same_when_a_prefix_comes_back():
    class Noting(LeastRecent):
        def on_insert(self, node, tick):
            keys.append(node.key)

    keys = []
    evicted(Noting(), ["aaaa-", "bbbb-", "aaaa-"], num_blocks=2)
    assert keys[0] == keys[2] != keys[1]


def test_reading_a_node_counts_it_once_and_its_id_is_free():
    class Reader(LeastRecent):
        def victim(self):
            node = super().victim()
            return (node.id, node.tick, node.key) and node

    host = PolicyHost(Reader())
    events = [("on_insert", n, None, n, 1, 1, n, 0) for n in range(3)]
    events += [("on_evictable", n, 1, 1, n, 0) for n in range(3)]
    assert host.victim(events) == (0, 1)


@pytest.mark.parametrize("name", ["evicts_locked", "evicts_absent", "gives_up"])
def test_an_illegal_victim_is_shown_with_few_events_that_run(name):
    error = caught(ZOO.wrong[name], "safety")
    names = {"__name__": "submission"}
    exec(f"{ZOO.wrong[name]}\n{error.scenario}", names)
    assert error.scenario.count("('on_") <= 10
    assert error.expected != error.actual


def test_a_wrong_order_is_shown_with_few_prompts_that_run():
    error = caught(ZOO.wrong["fifo_posing_as_lru"], "order")
    assert error.expected == "['bbbb']"
    assert error.scenario.count("-'") <= 4


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("name", ZOO.right)
def test_right_policies_reach_every_target_with_room(name, seed):
    found = runs(trial(ZOO.right[name], seed))
    assert all(found[one.workload].gap_closed > 1.1 * one.target for one in SCORED)
    assert all(found[gate.workload].over_lru > -0.8 * gate.most_lost for gate in GATES)
