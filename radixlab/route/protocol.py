"""What every rule of a router can do, ours and those of others.

    rule.choose(prompt)            which replica should take the request
    rule.num_to_compute(…)         how many tokens of it are not known to be cached there
    rule.routed(prompt, replica)   it was sent there
    rule.computed(prompt, replica) its first token came
    rule.finished(prompt, replica) it was answered, or given up
    rule.heard(replica, events)    the replica's cache has changed: its KV events
    rule.forget(replica)           the replica's cache is empty, or it is gone

A rule reads the loads from the `Fleet` that it was made with; whoever sends the requests keeps the
fleet up to date. A rule has neither a clock nor a thread, so it runs in a server and in a
simulation.
"""

from collections.abc import Iterable
from typing import Protocol

from radixlab.observe.kv.wire import WireEvent
from radixlab.route.fleet import Fleet, ReplicaId
from radixlab.route.prompt import Prompt


class Rule(Protocol):
    """Chooses a replica for each request; a rule that learns nothing only has `choose`."""

    fleet: Fleet
    hears_events: bool = False
    """Whether KV events tell this rule anything; if not, nobody needs to send them."""

    def choose(self, prompt: Prompt) -> ReplicaId:
        """Return a live replica; raise `NoReplicaError` if there is none.

        Nothing is learned from a choice: it may be asked twice, and followed or not.
        """
        ...

    def num_to_compute(self, prompt: Prompt, replica: ReplicaId) -> int:
        """Return the prompt tokens that the replica is not known to hold; ask before `routed`."""
        return prompt.num_tokens

    def routed(self, prompt: Prompt, replica: ReplicaId) -> None:
        """Learn that the request was sent to this replica."""
        return

    def computed(self, prompt: Prompt, replica: ReplicaId) -> None:
        """Learn that the replica has computed the prompt: the first token came."""
        return

    def finished(self, prompt: Prompt, replica: ReplicaId) -> None:
        """Learn that the request was answered, or given up."""
        return

    def heard(self, replica: ReplicaId, events: Iterable[WireEvent]) -> None:
        """Learn what a replica's cache holds now; unknown replicas are ignored."""
        return

    def forget(self, replica: ReplicaId) -> None:
        """Forget what a replica's cache holds. `Fleet.remove` does so by itself."""
        return
