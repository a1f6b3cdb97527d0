"""What `/metrics` says of each replica, and of the router, beside the sums of the whole server.

The label `replica` is a number below the number of replicas, so it does not grow with traffic.
"""

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from radixlab.serve.metrics import PREFIX
from radixlab.serve.replicas.question import WHYS
from radixlab.serve.replicas.roster import Roster


class ReplicaMetrics(Collector):
    """The replicas one by one."""

    def __init__(self, roster: Roster) -> None:
        self._roster = roster

    def describe(self) -> list[Metric]:
        """Return nothing: names are not checked against other collectors."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Yield every metric."""
        yield from self._by_replica()
        roster = self._roster
        routed = _counter("router_choices", "Prompts, by how the prefix router chose.", "why")
        for why in WHYS:
            routed.add_metric([why], roster.whys[why])
        yield routed
        deaths = CounterMetricFamily(f"{PREFIX}replica_deaths", "Replicas that have died.")
        deaths.add_metric([], roster.num_deaths)
        yield deaths
        what = "Prompts asked again because a replica failed or hung."
        retries = CounterMetricFamily(f"{PREFIX}replica_retries", what)
        retries.add_metric([], roster.num_retries)
        yield retries

    def _by_replica(self) -> Iterator[Metric]:
        routed = _counter("replica_requests", "Prompts that a replica took.", "replica")
        for number, count in sorted(self._roster.num_routed.items()):
            routed.add_metric([str(number)], count)
        yield routed
        gauges = {
            "replica_tree_nodes": "Nodes of a replica's tree.",
            "replica_evictable_blocks": "Blocks that a replica keeps for later prompts.",
            "replica_requests_running": "Answers that run on a replica.",
        }
        families = [
            GaugeMetricFamily(f"{PREFIX}{name}", what, labels=["replica"])
            for name, what in gauges.items()
        ]
        for name, number in sorted(self._roster.number_of.items(), key=lambda pair: pair[1]):
            if seen := self._roster.last.get(name):
                values = (seen.num_nodes, seen.num_evictable_blocks, seen.num_running)
                for family, value in zip(families, values, strict=True):
                    family.add_metric([str(number)], value)
        yield from families


def _counter(name: str, what: str, label: str) -> CounterMetricFamily:
    return CounterMetricFamily(f"{PREFIX}{name}", what, labels=[label])
