"""Our reading of Ray's affinity router, against Ray's own classes."""

import asyncio
import os
from random import Random
from types import SimpleNamespace

import pytest

pytest.importorskip("ray", reason="ray is not installed: the extra `ray` brings it")

from ray.llm._internal.serve.routing_policies.prefix_aware import (
    prefix_aware_router,
)
from ray.llm._internal.serve.routing_policies.prefix_aware.prefix_tree import (
    PrefixTree,
)
from ray.serve._private.common import DeploymentID, ReplicaID

from radixlab.route import Fleet, Prompt, RouteError
from radixlab.route.rules import RayAffinity
from tests.route.twins import Names, random_path

SEEDS = range(80 if os.environ.get("RADIXLAB_SOAK") == "1" else 4)
IDS = [ReplicaID(f"r{n}", DeploymentID("llm", "app")) for n in range(5)]


class Rays:
    """Ray's router over Ray's tree, without a cluster: its actor is a plain object here."""

    def __init__(self, monkeypatch, threshold=float("inf")) -> None:
        monkeypatch.setattr(prefix_aware_router.ray, "get", lambda value: value)
        self.tree = PrefixTree()
        self.clock = 0.0
        self.router = object.__new__(prefix_aware_router.PrefixCacheAffinityRouter)
        methods = ("prefix_match", "get_smallest_tenants")
        remote = {m: SimpleNamespace(remote=getattr(self.tree, m)) for m in methods}
        self.router.initialize_state(
            imbalanced_threshold=threshold, tree_actor=SimpleNamespace(**remote)
        )
        self.router._use_replica_queue_len_cache = True
        self.router._replica_queue_len_cache = {}
        self.router._replicas = {id: SimpleNamespace(replica_id=id) for id in IDS}
        for replica in self.router._replicas.values():
            replica.max_ongoing_requests = 10**6

    def add(self, id):
        self.tree.add_tenants([id.to_full_id_str()], self.clock)

    def remove(self, id):
        self.tree.remove_tenants([id.to_full_id_str()])

    def insert(self, text, id):
        self.clock += 1
        self.tree.insert(text, id.to_full_id_str(), self.clock)

    def candidates(self, text, live, loads):
        self.router._replica_queue_len_cache = dict(loads)
        request = SimpleNamespace(args=[SimpleNamespace(prompt=text)])
        replicas = [self.router._replicas[id] for id in live]
        (chosen,) = asyncio.run(self.router._prefix_match_best_replicas(request, replicas))
        return {replica.replica_id for replica in chosen}


@pytest.mark.parametrize("threshold", [float("inf"), 3])
@pytest.mark.parametrize("seed", SEEDS)
def test_our_rule_takes_the_shortest_queue_among_rays_candidates(seed, threshold, monkeypatch):
    rng, names, rays = Random(seed), Names(), Rays(monkeypatch, threshold)
    fleet = Fleet()
    rule = RayAffinity(fleet, seed, imbalanced_threshold=threshold)
    for id in IDS[:3]:
        fleet.add(id), rays.add(id)
    for _ in range(150):
        if rng.random() < 0.06 and len(fleet) < len(IDS):
            id = next(id for id in IDS if id not in fleet)
            fleet.add(id), rays.add(id)
        elif rng.random() < 0.04 and len(fleet) > 1:
            id = rng.choice(list(fleet))
            fleet.remove(id), rays.remove(id)
        for id in fleet:
            fleet.report(id, rng.randrange(6))
        text = "a" + random_path(rng, 25)
        loads = {id: int(fleet.load(id)) for id in fleet}
        candidates = rays.candidates(text, list(fleet), loads)
        prompt = Prompt(names.of(text))
        chosen = rule.choose(prompt)
        if candidates:
            assert chosen in candidates
            assert loads[chosen] == min(loads[id] for id in candidates)
        else:  # imbalanced: the power of two choices
            assert max(loads.values()) - min(loads.values()) > threshold
        sizes = {id: rays.tree.tenant_to_char_count[id.to_full_id_str()] for id in fleet}
        assert sizes == {id: rule.known.num_blocks(fleet.slot(id)) for id in fleet}
        rays.insert(text, chosen)
        rule.routed(prompt, chosen)


def test_an_empty_prompt_divides_by_zero_in_rays_router_and_is_refused_in_ours(monkeypatch):
    rays = Rays(monkeypatch)
    rays.add(IDS[0])
    with pytest.raises(ZeroDivisionError):
        rays.candidates("", [IDS[0]], {IDS[0]: 0})
    with pytest.raises(RouteError, match="divides by the length"):
        RayAffinity(Fleet(IDS[:1])).choose(Prompt(()))
