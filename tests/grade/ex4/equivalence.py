"""Whether a mutated submission is still a right one, judged on inputs ten times as wide.

LeastRecent must name LRU's victims wherever the rules determine them. MyPolicy may choose as it
likes: it must stay legal and bounded, be the same twice, and meet every stated target, each on
several times the traffic that the grader plays.
"""

import json
from statistics import fmean
from types import SimpleNamespace

import numpy as np

from radixlab.grade.ex4 import growth, oracle, traces
from radixlab.grade.ex4.audit import NUM_OPERATIONS
from radixlab.grade.ex4.play import Hosted, InOrder, make_host, play
from radixlab.grade.ex4.traffic import Drive, Trace
from radixlab.grade.items import Trial
from tests.grade.zoo import HERE

BASELINES = HERE.parent / "artifacts" / "zoo" / "8.5.4-baselines.json"
"""LRU's and the optimum's hit rates, which take longer than all the rest, by trace."""
TIMES = 10
POOLS = [(blocks, size) for blocks in (5, 9, 33, 120, 700) for size in (1, 3, 16)]


def same(source, seed):
    """Whether a text still is a right solution."""
    names = {"__name__": "submission"}
    try:
        exec(compile(source, "<submission>", "exec"), names)
        trial = Trial(SimpleNamespace(**names), 900 + seed)
        return in_order(trial) and legal(trial) and cheap(trial) and good(trial)
    except Exception:
        return False


def prepare(seed):
    """Compute what the grader needs of every submission alike, and remembers in a process."""
    for kind, found in traces.drawn(Trial(None, seed)).items():
        for trace in found:
            oracle.under_lru(trace)
            if kind in [one.workload for one in traces.SCORED]:
                oracle.optimum(trace)


def in_order(trial):
    rng = trial.random
    for num_blocks, block_size in [*POOLS, (9_000, 1)]:
        policy = InOrder(make_host(trial, "LeastRecent"))
        Drive(policy, rng, num_blocks, block_size).run(NUM_OPERATIONS)
    return True


def legal(trial):
    rng = trial.random
    for num_blocks, block_size in POOLS:
        host = make_host(trial, "MyPolicy")
        policy, before = Hosted(host), host.weight()
        drive = Drive(policy, rng, num_blocks, block_size)
        for _ in range(2):
            drive.run(NUM_OPERATIONS)
            policy.flush()
        if num_blocks == 33 and host.weight() - before > growth.MAX_WEIGHT:
            return False
    return True


def cheap(trial):
    return growth.check_examined(trial) == 1


def good(trial):
    """Every target, on the average of many traces."""
    known = json.loads(BASELINES.read_text()) if BASELINES.exists() else {}
    rng, gains = np.random.default_rng(77), {}
    for one in traces.TRACES:
        runs, gaps, tenants = [], [], []
        for seed in rng.integers(1_000, 2**31, TIMES * one.num_seeds):
            trace = Trace(one.workload, one.num_blocks, int(seed))
            lru, best, poorest = known.get(name := str(trace)) or baseline(known, name, trace, one)
            run = play(trial, trace)
            runs.append(run.result.token_hit_rate - lru)
            gaps.append(best - lru)
            if one.workload == "tenants":
                tenants.append(poorest - min(traces.tenant_rates(trace, run.result).values()))
        gains[one.workload] = fmean(runs)
        if one in traces.GATES and fmean(runs) < -one.all_at:
            return False
        if one in traces.SCORED and fmean(runs) < one.all_at * fmean(gaps):
            return False
        if tenants and fmean(tenants) > traces.MOST_LOST_BY_A_TENANT:
            return False
    guess = trial.learner.PREDICTION
    again = play(trial, trace).victims
    return gains[guess] >= traces.NEARLY * max(gains.values()) and again == run.victims


def baseline(known, name, trace, one):
    lru = oracle.under_lru(trace)
    best = oracle.optimum(trace) if one in traces.SCORED else 1.0
    poorest = min(traces.tenant_rates(trace, lru).values())
    known[name] = (lru.token_hit_rate, best, poorest)
    BASELINES.parent.mkdir(parents=True, exist_ok=True)
    BASELINES.write_text(json.dumps(known))
    return known[name]
