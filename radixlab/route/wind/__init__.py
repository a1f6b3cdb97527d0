"""The wind tunnel: a trace through a rule and simulated replicas, in simulated time.

    Traffic ─► Rule ─► SimReplica (queue, one prompt at a time, a cache with LRU) ─► Outcome

Nothing here is computed by a model; time is a counter. What a replica costs is in `ReplicaModel`.
"""

from radixlab.route.wind.cache import SimCache
from radixlab.route.wind.model import ReplicaModel
from radixlab.route.wind.outcome import Outcome
from radixlab.route.wind.traffic import Traffic, make_traffic
from radixlab.route.wind.tunnel import blow

__all__ = ["Outcome", "ReplicaModel", "SimCache", "Traffic", "blow", "make_traffic"]
