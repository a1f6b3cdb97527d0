"""8.5.4: the host is transparent, hostile answers are refused, and the thresholds are fair."""

from types import SimpleNamespace

import numpy as np
import pytest

from radixlab.cache import KVCacheManager
from radixlab.config import CacheConfig
from radixlab.exercise.policy import PolicyHost
from radixlab.grade.ex4 import evicted, growth, in_engine, play
from radixlab.grade.ex4.audit import NUM_OPERATIONS
from radixlab.grade.ex4.oracle import LeastRecent
from radixlab.grade.ex4.play import Hosted, WrongVictim, replay_under
from radixlab.grade.ex4.traces import GATES, SCORED, gap_closed, over_lru, runs
from radixlab.grade.ex4.traffic import Drive
from radixlab.grade.items import Failed, Trial
from radixlab.workloads import GENERATORS, make_manager, replay
from tests.grade.zoo import SOLUTIONS, ZOOS

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


@pytest.mark.parametrize("answer", [None, 7, "x" * 90_000, [1] * 90_000, (1, 2, 3), {"a": 1}])
def test_any_answer_of_the_host_is_a_wrong_victim_and_no_fault_of_ours(answer):
    host = SimpleNamespace(victim=lambda events: answer, hear=lambda events: None, weight=list)
    learner = SimpleNamespace(MyPolicy=None, LeastRecent=None, PREDICTION=answer)
    for item in ("safety", "order", "examined", "traces", "prediction"):
        with pytest.raises(Failed):
            ZOO.items[item].check(Trial(learner, 0, caller=lambda *_: host))


@pytest.mark.parametrize("num_examined", [-1, 1.5, float("nan"), 10**400, "9", None, True])
def test_a_count_that_makes_no_sense_counts_nothing(num_examined):
    host = SimpleNamespace(victim=lambda events: (3, num_examined))
    assert play.answer(host, []) == (3, 0)


def test_keys_differ_between_gradings_and_are_alike_in_one():
    def keys(salt):
        told = []
        host = SimpleNamespace(hear=told.extend, victim=lambda events: told.extend(events))
        policy = Hosted(host, salt)
        Drive(policy, np.random.default_rng(0), 500, 4).run(30)
        policy.flush()
        return [event[3] for event in told if event[0] == "on_insert"]

    assert keys(1) == keys(1)
    assert not {*keys(1)} & {*keys(2)}


def test_time_wasted_among_few_leaves_hides_no_growth():
    assert "a plain LRU" in str(caught(ZOO.cheats["waits_where_there_are_few"], "examined"))


KEPT = {
    "a global": "GONE = []\ndef keep(self, node):\n    GONE.append(node.id)",
    "nodes": "GONE = set()\ndef keep(self, node):\n    GONE.add(node)",
    "a closure": "def make():\n    gone = []\n    return lambda self, node: gone.append(0)\n"
    "keep = make()",
    "a class": "def keep(self, node):\n    type(self).gone = [*getattr(self, 'gone', ()), 0]",
    "a default": "def keep(self, node, gone=[]):\n    gone.append(0)",
    "links": "def keep(self, node):\n    self.top = (node.id, getattr(self, 'top', None))",
    "a list without length": "class Odd(list):\n    __len__ = __iter__ = None\nGONE = Odd()\n"
    "def keep(self, node):\n    GONE.append(0)",
    "bytes": "GONE = bytearray()\ndef keep(self, node):\n    GONE.extend(bytes(8))",
    "a number": "def keep(self, node):\n    self.seen = getattr(self, 'seen', 1) << 64",
    "text": "def keep(self, node):\n    self.seen = getattr(self, 'seen', '') + 'evicted.'",
    "an array": "import numpy as np\ndef keep(self, node):\n"
    "    self.log = np.append(getattr(self, 'log', ()), 0.0)",
    "a property that lies": "GONE = {}\nclass Odd:\n    __slots__ = ('gone',)\n"
    "    __class__ = property(lambda self: 1 / 0)\nODD = Odd()\nODD.gone = []\n"
    "def keep(self, node):\n    ODD.gone.append(0)",
}


@pytest.mark.parametrize("where", KEPT)
def test_what_is_kept_is_weighed_wherever_it_is(where):
    names = {"__name__": "submission"}
    exec(f"{KEPT[where]}\nclass MyPolicy:\n    on_remove = keep", names)
    exec("def ground(self): pass\nMyPolicy.ground = ground", names)
    host = PolicyHost(names["MyPolicy"]())
    before = host.weight()
    for id in range(500):
        host.hear([("on_insert", id, None, id, 1, 1, id, 0), ("on_remove", id)])
    assert host.weight() - before >= 490


def test_the_text_tells_the_thresholds_of_today():
    text = (SOLUTIONS / "ex4_eviction_policy.ipynb").read_text("utf-8")
    for one in SCORED:
        assert f"| {one.all_at:g} of the gap | {one.nothing_at:g} |" in text
        assert f"`{one.workload}` | {one.num_blocks:,} |" in text
    for one in GATES:
        points = f"percentage point{'s' * (one.all_at != 0.01)}"
        most = f"at most {100 * one.all_at:g} {points} below LRU"
        assert f"| {most} | {100 * one.nothing_at:g} below |" in text
        assert f"`{one.workload}` | {one.num_blocks:,} |" in text
    for number in (growth.MAX_WEIGHT, growth.SIZES[0], growth.SIZES[1], 20_000, 5_000):
        assert f"{number:,}" in text
    assert f"{growth.MAX_LEAK_BYTES >> 10} KB" in text
    few, many = growth.SIZES
    for what, most in (
        (f"CPU time, hooks included, with {many:,} leaves ÷ with {few}", growth.MOST_GROWTH),
        (f"the same ÷ what a plain LRU takes with {few} leaves", growth.MOST_OF_LRU),
    ):
        assert f"| {what} | {most:g} | from {growth.WORST * most:g} |" in text
    assert (1 + growth.NUM_PERIODS) * NUM_OPERATIONS == 20_000


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("name", ZOO.right)
def test_right_policies_reach_every_target(name, seed):
    found = runs(trial(ZOO.right[name], seed))
    assert all(gap_closed(found[one.workload]) > 1.1 * one.all_at for one in SCORED)
    assert all(over_lru(found[gate.workload]) > -0.95 * gate.all_at for gate in GATES)


@pytest.mark.soak
@pytest.mark.parametrize("name", ["ageing_lfu", "hyperbolic_of_newcomers", "once_used_first"])
def test_what_nearly_reaches_the_gates_earns_nearly_all(name):
    assert 0.1 < ZOO.items["traces"].check(trial(ZOO.wrong[name])) < 1
