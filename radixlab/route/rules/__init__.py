"""The rules of others beside ours, each by the name that `radixlab bench route` takes.

    rule                what it looks at
    round-robin         nothing
    power-of-two        the loads of two replicas
    session-hash        the session
    ray-affinity        the longest routed prefix
    cache-aware         the longest routed prefix, and all loads when they differ much
    dynamo              KV events, prompts being computed, blocks in use
    ours-prompts        the longest routed prefix, and the loads
    ours-events         the longest cached prefix by KV events, and the loads

A plug-in registers itself in `RULES`.
"""

from collections.abc import Callable

from radixlab.route.fleet import Fleet
from radixlab.route.longest_prefix import LongestPrefix
from radixlab.route.protocol import Rule
from radixlab.route.rules.cache_aware import CacheAware
from radixlab.route.rules.dynamo import Dynamo
from radixlab.route.rules.plain import PowerOfTwo, RoundRobin
from radixlab.route.rules.ray_affinity import RayAffinity
from radixlab.route.rules.session_hash import SessionHash

__all__ = [
    "RULES",
    "CacheAware",
    "Dynamo",
    "PowerOfTwo",
    "RayAffinity",
    "RoundRobin",
    "SessionHash",
]

RULES: dict[str, Callable[[Fleet, int, int], Rule]] = {
    "round-robin": lambda fleet, seed, block_size: RoundRobin(fleet),
    "power-of-two": lambda fleet, seed, block_size: PowerOfTwo(fleet, seed),
    "session-hash": lambda fleet, seed, block_size: SessionHash(fleet, seed),
    "ray-affinity": lambda fleet, seed, block_size: RayAffinity(fleet, seed),
    "cache-aware": lambda fleet, seed, block_size: CacheAware(fleet),
    "dynamo": lambda fleet, seed, block_size: Dynamo(fleet, block_size),
    "ours-prompts": lambda fleet, seed, block_size: LongestPrefix(fleet, "prompts"),
    "ours-events": lambda fleet, seed, block_size: LongestPrefix(fleet, "events"),
}
"""Makes a rule over a fleet, from a seed and the tokens of a block."""
