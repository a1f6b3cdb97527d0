"""What holds for every rule, and what each one is known for."""

import os
from collections import Counter
from random import Random

import pytest

from radixlab.observe.kv_events import Cleared, Removed, Stored
from radixlab.route import Fleet, LongestPrefix, NoReplicaError, Prompt, RouteError
from radixlab.route.errors import UnknownReplicaError
from radixlab.route.rules import (
    RULES,
    CacheAware,
    Dynamo,
    PowerOfTwo,
    RayAffinity,
    RoundRobin,
    SessionHash,
)
from tests.route.twins import Names, random_path

SEEDS = range(60 if os.environ.get("RADIXLAB_SOAK") == "1" else 3)
BLOCK = 16


def prompt_of(names: Names, path: str, session: str | None = None) -> Prompt:
    return Prompt(names.of(path), BLOCK * len(path) + 3, session)


def traffic(rule, rng, names, steps=200):
    """Random traffic over a fleet whose replicas come and go; yields before each is sent."""
    fleet, running, born = rule.fleet, [], 0
    for _ in range(steps):
        if rng.random() < 0.08 or not len(fleet):
            fleet.add(f"replica {born}")
            born += 1
        if rng.random() < 0.05 and len(fleet) > 1:
            fleet.remove(rng.choice(list(fleet)))
        if running and rng.random() < 0.45:
            prompt, replica, owed = running.pop(rng.randrange(len(running)))
            if rng.random() < 0.7:
                rule.computed(prompt, replica)
                fleet.computed(replica, owed)
                owed = 0
            rule.finished(prompt, replica)
            fleet.finish(replica, owed)
        prompt = prompt_of(names, "a" + random_path(rng), rng.choice(["s", "t", None]))
        chosen = rule.choose(prompt)
        yield prompt, chosen
        owed = rule.num_to_compute(prompt, chosen)
        fleet.start(chosen, owed)
        rule.routed(prompt, chosen)
        keys = list(prompt.keys)
        rule.heard(chosen, [Stored(keys, None, [], BLOCK)])
        if rng.random() < 0.3:
            rule.heard(chosen, [Removed(keys[rng.randrange(len(keys)) :][::-1])])
        running.append((prompt, chosen, owed))


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", RULES)
def test_a_rule_never_chooses_a_replica_that_is_gone(name, seed):
    rule = RULES[name](Fleet(), seed, BLOCK)
    for _, chosen in traffic(rule, Random(seed), Names()):
        assert chosen in rule.fleet


@pytest.mark.parametrize("name", RULES)
def test_a_run_depends_on_the_seed_alone(name):
    runs = []
    for _ in range(2):
        rule = RULES[name](Fleet(), 7, BLOCK)
        runs.append([chosen for _, chosen in traffic(rule, Random(1), Names())])
    assert runs[0] == runs[1]


@pytest.mark.parametrize("name", RULES)
def test_without_replicas_a_rule_says_so_and_goes_on_when_one_comes_back(name):
    fleet = Fleet(["a"])
    rule, prompt = RULES[name](fleet, 0, BLOCK), Prompt((1, 2), 40)
    rule.routed(prompt, "a")
    fleet.remove("a")
    for late in (lambda: rule.finished(prompt, "a"), lambda: rule.forget("a")):
        late()
    rule.routed(prompt, "a")
    rule.heard("a", [Stored([1], None, [], BLOCK), Cleared()])
    with pytest.raises(NoReplicaError, match="no replica is alive"):
        rule.choose(prompt)
    fleet.add("b")
    assert rule.choose(prompt) == "b"


@pytest.mark.parametrize("name", sorted(set(RULES) - {"ray-affinity"}))
def test_an_empty_prompt_gets_a_replica(name):
    rule = RULES[name](Fleet(["a", "b"]), 0, BLOCK)
    prompt = Prompt.of_tokens([], BLOCK)
    assert rule.choose(prompt) in ("a", "b")
    rule.routed(prompt, "a")
    rule.finished(prompt, "a")


def test_an_empty_prompt_breaks_rays_rule_and_is_refused_by_name():
    with pytest.raises(RouteError, match="divides by the length of the prompt, 0 here"):
        RayAffinity(Fleet(["a"])).choose(Prompt(()))


@pytest.mark.parametrize("name", RULES)
def test_a_huge_prompt_is_routed_and_found_again(name):
    rule = RULES[name](Fleet(range(3)), 0, BLOCK)
    prompt = Prompt(tuple(range(1, 20_001)), 20_000 * BLOCK, "s")
    chosen = rule.choose(prompt)
    rule.routed(prompt, chosen)
    rule.heard(chosen, [Stored(list(prompt.keys), None, [], BLOCK)])
    rule.finished(prompt, chosen)
    if name not in ("round-robin", "power-of-two"):
        assert rule.choose(prompt) == chosen


# ---- ours


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("feed", ["prompts", "events"])
def test_whoever_is_chosen_is_within_the_bound(feed, seed):
    rng = Random(seed)
    factor, allowance = rng.choice([1, 1.25, 1.5, 3]), rng.choice([0, 1, 2])
    tolerance = rng.choice([0, 0.1, 0.5, 1])
    rule = LongestPrefix(Fleet(), feed, factor, allowance, tolerance)
    for prompt, chosen in traffic(rule, rng, Names(), 300):
        load, mean = rule.fleet.load(chosen), rule.fleet.mean_load
        assert load <= max(allowance, factor * mean) + 1e-9
        assert rule.choose(prompt) == chosen, "a choice changes nothing"


@pytest.mark.parametrize("seed", SEEDS)
def test_the_choice_is_the_one_that_the_three_lines_describe(seed):
    rng = Random(seed)
    rule = LongestPrefix(Fleet(), tolerance=0.3)
    for prompt, chosen in traffic(rule, rng, Names(), 200):
        fleet, num = rule.fleet, len(prompt.keys)
        known = {r: _known(rule, prompt, r) for r in fleet}
        longest, most = max(known.values()), rule.most_load
        at_longest = [r for r in fleet if known[r] == longest]
        near = [r for r in fleet if known[r] >= longest - 0.3 * num]
        if longest <= 0.3 * num:
            expected = set(fleet)
        else:
            expected = next(
                (set(g) for g in (at_longest, near) if min(map(fleet.load, g)) <= most), set(fleet)
            )
        assert chosen in expected
        assert fleet.load(chosen) == min(map(fleet.load, expected))


def _known(rule, prompt, replica) -> int:
    levels = rule.known.levels(prompt.keys, 1 << rule.fleet.slot(replica))
    return levels[-1][0] if levels else 0


def test_a_hot_prefix_spreads_and_a_cold_one_stays():
    fleet, names = Fleet(range(4)), Names()
    rule = LongestPrefix(fleet)
    counts = Counter()
    for _ in range(40):
        prompt = prompt_of(names, "aaaaaaaaaa")
        chosen = rule.choose(prompt)
        fleet.start(chosen, rule.num_to_compute(prompt, chosen))
        rule.routed(prompt, chosen)
        counts[chosen] += 1
    assert max(counts.values()) <= 1.5 * 10 + 1
    for replica in fleet:
        fleet.report(replica, 0)
    rule.routed(prompt_of(names, "bbbbbbbbbb"), 3)
    assert {rule.choose(prompt_of(names, "bbbbbbbbbbab")) for _ in range(9)} == {3}


def test_a_dead_replicas_prefixes_are_forgotten_at_once_and_its_slot_starts_empty():
    fleet, names = Fleet(["a", "b"]), Names()
    for feed in ("prompts", "events"):
        rule = LongestPrefix(fleet, feed)
        prompt = prompt_of(names, "aaaa")
        rule.routed(prompt, "b")
        rule.heard("b", [Stored(list(prompt.keys), None, [], BLOCK)])
        assert rule.choose(prompt) == "b"
        fleet.remove("b")
        assert rule.known.is_empty
        fleet.add("b")
        assert _known(rule, prompt, "b") == 0


BAD = {
    "factor below 1": ({"factor": 0.5}, "factor must be at least 1 and finite, not 0.5"),
    "factor nan": ({"factor": float("nan")}, "factor must be at least 1"),
    "factor text": ({"factor": "2"}, "factor must be a number, not '2'"),
    "allowance": ({"allowance": -1}, "allowance must be at least 0"),
    "tolerance": ({"tolerance": 1.5}, "tolerance must be from 0 to 1"),
    "feed": ({"feed": "rumours"}, "feed is 'prompts' or 'events', not 'rumours'"),
    "capacity": ({"capacity_blocks": 0}, "capacity_blocks must be a positive integer"),
}


@pytest.mark.parametrize(("options", "says"), BAD.values(), ids=BAD)
def test_a_setting_that_cannot_work_is_named(options, says):
    with pytest.raises(ValueError, match=says):
        LongestPrefix(Fleet(["a"]), **options)


def test_a_fleet_names_whom_it_does_not_know():
    fleet = Fleet(["a"])
    with pytest.raises(UnknownReplicaError, match="'b' is not in the fleet"):
        fleet.start("b")
    with pytest.raises(UnknownReplicaError, match="'a' is in the fleet already"):
        fleet.add("a")
    with pytest.raises(RouteError, match="finite and 0 or more"):
        fleet.report("a", float("inf"))
    fleet.finish("b")
    assert fleet.mean_load == 0


# ---- the others


def test_round_robin_is_even_whoever_comes_and_goes():
    fleet = Fleet("abc")
    rule, counts = RoundRobin(fleet), Counter()
    for step in range(30):
        if step == 15:
            fleet.remove("b")
        chosen = rule.choose(Prompt(()))
        rule.routed(Prompt(()), chosen)
        counts[chosen] += 1
    assert sorted(counts.items()) == [("a", 13), ("b", 5), ("c", 12)]


def test_power_of_two_never_takes_the_busiest():
    fleet = Fleet("abc")
    fleet.start("b")
    rule = PowerOfTwo(fleet, seed=1)
    assert {rule.choose(Prompt(())) for _ in range(99)} == {"a", "c"}


def test_only_the_sessions_of_a_replica_that_leaves_move():
    fleet = Fleet(range(8))
    rule = SessionHash(fleet)
    sessions = [f"session {n}" for n in range(400)]
    before = {s: rule.choose(Prompt((), session=s)) for s in sessions}
    fleet.remove(3)
    after = {s: rule.choose(Prompt((), session=s)) for s in sessions}
    moved = {s for s in sessions if before[s] != after[s]}
    assert moved == {s for s in sessions if before[s] == 3} and len(set(after.values())) == 7
    fleet.add(3)
    assert {s: rule.choose(Prompt((), session=s)) for s in sessions} == before


def test_the_cache_aware_rule_balances_only_far_apart_loads():
    fleet, names = Fleet("ab"), Names()
    rule, prompt = CacheAware(fleet), prompt_of(names, "aaaa")
    rule.routed(prompt, "b")
    for load, chosen in ((0, "b"), (64, "b"), (65, "a")):
        fleet.report("b", load)
        assert rule.choose(prompt) == chosen
    fleet.report("a", 100)
    fleet.report("b", 149)  # 49 more: less than 64
    assert rule.choose(prompt) == "b"
    fleet.report("a", 200)
    fleet.report("b", 299)  # 99 more, but less than 1.5 times as much
    assert rule.choose(prompt) == "b"
    assert rule.choose(prompt_of(names, "aabb")) == "b"  # half is known
    assert rule.choose(prompt_of(names, "abbb")) == "a"  # a quarter is not enough


def test_the_cache_aware_rule_stays_with_who_stored_a_node_first():
    fleet, names = Fleet("abc"), Names()
    rule = CacheAware(fleet)
    for replica in "bac":
        rule.routed(prompt_of(names, "aaaa"), replica)
    assert rule.choose(prompt_of(names, "aaaa")) == "b"
    fleet.remove("b")
    assert rule.choose(prompt_of(names, "aaaa")) == "a"


def test_dynamos_price_is_the_documented_sum():
    fleet, names = Fleet("abc"), Names()
    rule, prompt = Dynamo(fleet, BLOCK), Prompt(names.of("abcdefgh"), 8 * BLOCK)
    keys = list(prompt.keys)
    rule.heard("a", [Stored(keys[:4], None, [], BLOCK)])
    rule.heard("a", [Stored(keys[4:6], keys[3], [], BLOCK, medium="CPU")])
    rule.heard("a", [Stored(keys[6:], keys[5], [], BLOCK, medium="DISK")])
    rule.heard("b", [Stored(keys[:4], None, [], BLOCK, medium="CPU_PINNED")])
    prices = rule.prices(prompt)
    assert prices.tolist() == [8 - (4 + 0.75 * 2 + 0.25 * 2) + 8, 8 - 0.75 * 4 + 8, 8 + 8]
    running = prompt_of(names, "xyz")
    rule.routed(running, "c")
    assert rule.prices(prompt)[2] == pytest.approx(16 + (3 * BLOCK + 3) / BLOCK + 3)
    rule.computed(running, "c")
    assert rule.prices(prompt)[2] == 16 + 3
    again = Prompt(running.keys, running.num_tokens)
    rule.routed(again, "c")
    rule.computed(again, "c")
    assert rule.prices(prompt)[2] == 16 + 3, "blocks that running requests share count once"
    assert rule.prices(again)[2] == pytest.approx((3 * BLOCK + 3) / BLOCK + 3)
    for each in (running, again):
        rule.finished(each, "c")
    assert rule.prices(prompt)[2] == 16 and rule.active.is_empty
    rule.forget("a")
    assert rule.prices(prompt)[0] == 16
