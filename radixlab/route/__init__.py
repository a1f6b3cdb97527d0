"""Routing to replicas: which of them should take a request, so that its prefix is cached there.

    Prompt ─► Rule ─► replica          `Fleet` has the loads; `PrefixMap` knows who holds what

`LongestPrefix` is our rule. This package sends nothing and imports no framework: the same rules run
in a server and in a simulation.
"""

from radixlab.route.errors import NoReplicaError, RouteError, UnknownReplicaError
from radixlab.route.fleet import Fleet, ReplicaId
from radixlab.route.kv_feed import KVFeed, RemoteFeed
from radixlab.route.longest_prefix import LongestPrefix
from radixlab.route.prefix_map import PrefixMap
from radixlab.route.prompt import Prompt
from radixlab.route.protocol import Rule

__all__ = [
    "Fleet",
    "KVFeed",
    "LongestPrefix",
    "NoReplicaError",
    "PrefixMap",
    "Prompt",
    "RemoteFeed",
    "ReplicaId",
    "RouteError",
    "Rule",
    "UnknownReplicaError",
]
