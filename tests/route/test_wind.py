"""The wind tunnel's cache is the engine's, nothing gets lost in it, and its controls show."""

import os
from random import Random

import numpy as np
import pytest

from radixlab.cache import KVCacheManager, OutOfBlocksError
from radixlab.config import CacheConfig
from radixlab.route import Fleet, RouteError
from radixlab.route.rules import RULES
from radixlab.route.wind import ReplicaModel, SimCache, blow, make_traffic
from radixlab.route.wind.traffic import _repeated
from radixlab.route.wind.tunnel import Tunnel
from radixlab.workloads import GENERATORS, TraceRecord, replay
from tests.route.twins import Names

SEEDS = range(100 if os.environ.get("RADIXLAB_SOAK") == "1" else 4)
BLOCK = 4


# ---- the cache against the engine's


@pytest.mark.parametrize("seed", SEEDS)
def test_the_simulated_cache_finds_and_evicts_what_the_engine_does(seed):
    "Several requests run at once; each is admitted, computed and finished in a random order."
    rng, names = Random(seed), Names()
    num_blocks = rng.randrange(6, 30)
    manager = KVCacheManager(CacheConfig(num_blocks, BLOCK))
    sim, running = SimCache(num_blocks), []
    for step in range(200):
        deed = rng.random()
        if deed < 0.45:
            num_tokens, num_answer = rng.randrange(1, 30), rng.randrange(0, 9)
            tokens = [rng.choice((1, 1, 2)) for _ in range(num_tokens)]
            answer = [1000 + step] * num_answer
            _admit(manager, sim, running, names, tokens, answer)
        elif running and deed < 0.7:
            (job,) = rng.sample(running, 1)
            _compute(manager, sim, job)
        elif running:
            job = running.pop(rng.randrange(len(running)))
            _compute(manager, sim, job)
            _finish(manager, sim, job)
        stats = manager.stats()
        assert stats.num_free_blocks == sim.num_free
        assert sim.num_free + len(sim.idle) + len(sim.users) <= num_blocks


def _keys(names, tokens):
    whole = len(tokens) // BLOCK * BLOCK
    text = "".join(chr(token) for token in tokens[:whole])
    return names.of(text)[BLOCK - 1 :: BLOCK]


def _admit(manager, sim, running, names, tokens, answer):
    keys = _keys(names, tokens)
    num_hit = sim.num_cached(keys[: (len(tokens) - 1) // BLOCK])
    num_needed = -(-(len(tokens) + len(answer)) // BLOCK)
    evicted = sim.admit(keys, num_hit, num_needed - num_hit)
    if evicted is None:
        with pytest.raises(OutOfBlocksError):
            manager.allocate(tokens, reserve_tokens=len(answer))
        return
    before = manager.stats().evicted_blocks
    sequence = manager.allocate(tokens, reserve_tokens=len(answer))
    assert sequence.hit_tokens == num_hit * BLOCK
    assert manager.stats().evicted_blocks - before == len(evicted)
    running.append([sequence, tokens, answer, keys, num_hit, num_needed, names])


def _compute(manager, sim, job):
    sequence, tokens, _, keys, done, *_ = job
    if done < len(keys):
        manager.commit(sequence, len(tokens))
        sim.commit(keys, done)
        job[4] = len(keys)


def _finish(manager, sim, job):
    sequence, tokens, answer, keys, _, num_needed, names = job
    if answer:
        manager.append(sequence, answer)
    manager.commit(sequence, len(tokens) + len(answer))
    manager.release(sequence)
    every = _keys(names, tokens + answer)
    sim.commit(every, len(keys))
    sim.finish(every, num_needed - len(every))


@pytest.mark.parametrize("name", ["multi-turn-chat", "document-qa", "few-shot", "tenants", "agent"])
def test_one_replica_with_one_request_at_a_time_is_a_replay(name):
    num_tokens = 16_000
    traffic = make_traffic(name, 120).at_load(1e-8, 1, 7000.0)
    model = ReplicaModel(cache_tokens=num_tokens)
    outcome = blow(traffic, lambda fleet: RULES["round-robin"](fleet, 0, 16), 1, model)
    manager = KVCacheManager(CacheConfig(num_tokens // 16, 16))
    real = replay(manager, GENERATORS[name](120, 0))
    assert outcome.num_rejected == real.rejected_requests
    assert (outcome.prompt_tokens, outcome.hit_tokens) == (real.prompt_tokens, real.hit_tokens)
    assert real.evicted_blocks > 0, "the pool must be too small for all"


# ---- laws of the tunnel


@pytest.fixture(scope="module")
def records():
    """A trace of chats below one system prompt, with a clock."""
    rng, made, turns = Random(3), [], {}
    for number in range(160):
        session = rng.randrange(25)
        history = turns.setdefault(session, [0, 1 + 1000 * (session + 1)])
        history += [history[-1] + 1 + step for step in range(rng.randrange(1, 4))]
        num_tokens = 512 * len(history) - rng.randrange(512)
        made.append(TraceRecord(1.5 * number, num_tokens, rng.randrange(300), tuple(history)))
    return made


@pytest.mark.parametrize("name", RULES)
def test_nothing_is_lost_in_the_tunnel(name, records):
    traffic = _repeated("chats", records, 700, seed=1)
    model = ReplicaModel(cache_tokens=512 * 60, prefill_tokens_per_s=20_000.0, num_slots=6)
    fleet = Fleet(range(5))
    tunnel = Tunnel(traffic, RULES[name](fleet, 0, 512), fleet, model)
    advanced = []
    tunnel.run(advanced.append)
    assert sum(advanced) == traffic.num_requests == 700
    assert tunnel.counts.sum() + tunnel.num_rejected == 700
    wait, first = tunnel.wait_s, tunnel.first_token_s
    assert np.isnan(wait).sum() == np.isnan(first).sum() == tunnel.num_rejected
    served = ~np.isnan(wait)
    assert (wait[served] >= -1e-4).all() and (first[served] > wait[served]).all()
    computed_s = float((first[served] - wait[served]).sum())
    expected_s = (tunnel.prompt_tokens - tunnel.hit_tokens) / model.prefill_tokens_per_s
    assert computed_s == pytest.approx(expected_s, rel=1e-3)
    assert 0 < tunnel.hit_tokens < tunnel.prompt_tokens
    for replica in tunnel.replicas:
        cache = replica.cache
        assert not replica.waiting and not replica.num_running and not replica.is_computing
        assert not cache.users and cache.num_free + len(cache.idle) == cache.num_blocks
    assert fleet.mean_load == 0 and (fleet.requests == 0).all()


@pytest.mark.parametrize("delay_s", [0.0, 0.1, 3.0])
@pytest.mark.parametrize("name", ["ours-events", "dynamo"])
def test_when_all_events_are_heard_the_map_is_what_the_caches_hold(name, delay_s, records):
    traffic = _repeated("chats", records, 400, seed=2)
    model = ReplicaModel(cache_tokens=512 * 40, event_delay_s=delay_s)
    fleet = Fleet(range(3))
    rule = RULES[name](fleet, 0, 512)
    tunnel = Tunnel(traffic, rule, fleet, model)
    tunnel.run(lambda number: None)
    known = rule.known["device"] if name == "dynamo" else rule.known
    for slot, replica in enumerate(tunnel.replicas):
        told = {key for node in known.nodes() if node.holders >> slot & 1 for key in node.keys}
        assert told == set(replica.cache.idle)


@pytest.mark.parametrize("name", ["power-of-two", "ours-prompts", "ours-events", "dynamo"])
def test_a_run_depends_on_its_arguments_alone(name, records):
    def run(seed):
        traffic = _repeated("chats", records, 300, seed)
        outcome = blow(
            traffic, lambda fleet: RULES[name](fleet, seed, 512), 4, ReplicaModel(), name
        )
        return outcome.hit_tokens, outcome.wait_s.tobytes(), outcome.requests_by_replica.tobytes()

    assert run(1) == run(1) != run(2)


# ---- traffic


def test_copies_share_what_is_the_services_and_nothing_else(records):
    traffic = _repeated("chats", records, 400, seed=0)
    assert (traffic.num_requests, traffic.num_copies) == (400, 3)
    assert (np.diff(traffic.times_s) >= 0).all()
    by_copy: dict[str, set[int]] = {}
    sessions: dict[str, set[str]] = {}
    for arrival in traffic.arrivals():
        copy, session = arrival.prompt.session.split(".")
        by_copy.setdefault(copy, set()).update(arrival.prompt.keys)
        sessions.setdefault(session, set()).add(copy)
    shared = by_copy["0"] & by_copy["1"] | by_copy["1"] & by_copy["2"]
    assert shared == {0} and all(copies <= {"0", "1", "2"} for copies in sessions.values())


def test_one_copy_is_the_trace_itself(records):
    traffic = _repeated("chats", records, len(records), seed=5)
    arrivals = list(traffic.arrivals())
    assert [a.time_s for a in arrivals] == [record.arrival_s for record in records]
    whole = [record.hash_ids[: record.num_prompt_tokens // 512] for record in records]
    assert [tuple(a.prompt.keys) for a in arrivals] == whole


def test_the_pace_brings_the_load_that_was_asked_for():
    for name in ("nothing-shared", "multi-turn-chat"):
        traffic = make_traffic(name, 200).at_load(0.7, 3, 5000.0)
        assert traffic.load(3, 5000.0) == pytest.approx(0.7)


def test_what_no_replica_can_hold_is_counted_and_not_tried():
    model = ReplicaModel(cache_tokens=512 * 10)
    traffic = make_traffic("nothing-shared", 50)
    outcome = blow(traffic, lambda fleet: RULES["power-of-two"](fleet, 0, 512), 2, model)
    assert (outcome.num_rejected, outcome.num_requests, outcome.hit_rate) == (50, 0, 0.0)
    assert outcome.wait(0.5) == 0.0 and outcome.worst_share == 1.0


BAD_MODELS = {
    "cache_tokens": 0,
    "num_slots": -1,
    "prefill_tokens_per_s": 0.0,
    "decode_s_per_token": float("nan"),
    "event_delay_s": -0.1,
}


@pytest.mark.parametrize(("name", "value"), BAD_MODELS.items())
def test_a_replica_that_cannot_be_is_named(name, value):
    with pytest.raises(ValueError, match=name):
        ReplicaModel(**{name: value})


@pytest.mark.parametrize("name", ["prefill_tokens_per_s", "decode_s_per_token", "event_delay_s"])
def test_the_bound_in_the_message_is_the_bound_that_is_checked(name):
    with pytest.raises(RouteError) as refused:
        ReplicaModel(**{name: -1.0})
    if "of at least 0" in str(refused.value):
        assert getattr(ReplicaModel(**{name: 0.0}), name) == 0.0
    else:
        with pytest.raises(RouteError, match="above 0"):
            ReplicaModel(**{name: 0.0})


def test_a_traffic_that_is_not_there_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("RADIXLAB_TRACES", str(tmp_path))
    with pytest.raises(RouteError, match="conversation trace is not here"):
        make_traffic("conversation", 10)


# ---- the controls


def outcomes(traffic, num_replicas=8):
    paced = traffic.at_load(0.5, num_replicas, ReplicaModel().prefill_tokens_per_s)
    return {
        name: blow(
            paced,
            lambda fleet, name=name: RULES[name](fleet, 0, paced.block_size),
            num_replicas,
            ReplicaModel(),
            name,
        )
        for name in RULES
    }


def test_where_nothing_is_shared_no_rule_finds_anything():
    assert {o.hit_tokens for o in outcomes(make_traffic("nothing-shared", 300)).values()} == {0}


def test_a_hot_prefix_melts_a_replica_unless_the_rule_bounds_the_load():
    found = outcomes(make_traffic("one-hot-prefix", 800))
    assert found["ray-affinity"].worst_share > 4 and found["cache-aware"].worst_share > 4
    for name in ("ours-prompts", "ours-events"):
        assert found[name].worst_share < 1.6
        assert found[name].hit_rate > found["ray-affinity"].hit_rate - 0.02
        assert found[name].first_token(0.95) <= found["ray-affinity"].first_token(0.95)
