"""A policy of exercise 8.5.4 as our engine takes one, with the host that runs it in the exercise.

The host shows the policy nodes that it can only read, and passes its answers on as numbers.
`Chunks` judges them.
"""

from collections.abc import Callable
from hashlib import blake2b
from typing import Any

from radixlab.bridge.errors import BrokenPartError, raised
from radixlab.cache.protocols import EvictionPolicy, PolicyNode
from radixlab.exercise.policy import PolicyHost


class YourPolicy(EvictionPolicy):
    """Passes on what happens, in one batch per victim."""

    name = "yours"
    reason = "your policy"

    def __init__(self, policy: Any) -> None:
        if isinstance(policy, type) or not callable(getattr(policy, "victim", None)):
            raise BrokenPartError("policy yours: it has no method victim()")
        self._host = PolicyHost(policy)
        self._events: list[tuple[Any, ...]] = []
        self._nodes: dict[int, PolicyNode] = {}

    @classmethod
    def made_by(cls, make_policy: Callable[[], Any]) -> "YourPolicy":
        """Make a policy; raise `BrokenPartError` if it cannot be made."""
        try:
            policy = make_policy()
        except Exception as error:
            raise BrokenPartError(f"policy yours: {raised('making it', error)}") from error
        return cls(policy)

    def on_insert(self, node: PolicyNode, tick: int) -> None:
        """Pass on a new node, with a key that is the same when its prefix returns."""
        self._nodes[node.id] = node
        key = int.from_bytes(blake2b(node.edge, digest_size=4).digest(), "little")
        above = node.parent.id if node.parent else None
        self._events.append(("on_insert", node.id, above, key, *_facts(node)))

    def on_hit(self, node: PolicyNode, tick: int) -> None:
        """Pass on a hit."""
        self._events.append(("on_hit", node.id, *_facts(node)))

    def on_remove(self, node: PolicyNode) -> None:
        """Pass on that a node is gone."""
        del self._nodes[node.id]
        self._events.append(("on_remove", node.id))

    def on_evictable(self, node: PolicyNode) -> None:
        """Pass on a candidate."""
        self._events.append(("on_evictable", node.id, *_facts(node)))

    def on_protected(self, node: PolicyNode) -> None:
        """Pass on that a node is not a candidate any more."""
        self._events.append(("on_protected", node.id, *_facts(node)))

    def victim(self) -> Any:
        """Ask the policy; return a node, None, or whatever it named instead."""
        events, self._events = self._events, []
        answer, _ = self._host.victim(events)
        return self._nodes.get(answer, answer) if type(answer) is int else answer


def _facts(node: PolicyNode) -> tuple[int, int, int, int]:
    return node.num_blocks, node.end, node.tick, node.num_hits
