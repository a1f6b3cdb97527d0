"""Many machines in a lesson: one traffic through several routing rules, by simulation."""

from dataclasses import dataclass

from radixlab.route import Fleet, Rule
from radixlab.route.rules import RULES
from radixlab.route.wind.model import ReplicaModel
from radixlab.route.wind.outcome import Outcome
from radixlab.route.wind.traffic import Traffic, make_traffic
from radixlab.route.wind.tunnel import blow

SHOWN = ("round-robin", "power-of-two", "session-hash", "ray-affinity", "ours-events")
"""The rules that the lesson compares."""
LOAD = 0.5
"""Of what the replicas could compute if nothing were cached."""


@dataclass(frozen=True, slots=True)
class Routed:
    """What each rule did."""

    outcomes: dict[str, Outcome]

    def __str__(self) -> str:
        head = "rule           hit rate  busiest ÷ mean  p95 wait"
        return "\n".join([head, *(_line(name, one) for name, one in self.outcomes.items())])


def _line(name: str, one: Outcome) -> str:
    return f"{name:13} {one.hit_rate:9.1%} {one.worst_share:15.2f} {one.wait(0.95):8.1f}s"


def route_through(
    source: str, num_replicas: int = 8, num_requests: int = 600, cache_tokens: int = 20_000
) -> Routed:
    """Send a traffic to replicas by each rule; times are simulated, so nothing depends on yours."""
    model = ReplicaModel(cache_tokens=cache_tokens)
    traffic = make_traffic(source, num_requests, seed=7)
    traffic = traffic.at_load(LOAD, num_replicas, model.prefill_tokens_per_s)
    return Routed({name: _blow(name, traffic, num_replicas, model) for name in SHOWN})


def _blow(name: str, traffic: Traffic, num_replicas: int, model: ReplicaModel) -> Outcome:
    def make_rule(fleet: Fleet) -> Rule:
        return RULES[name](fleet, 7, traffic.block_size)

    return blow(traffic, make_rule, num_replicas, model, name)
