"""A policy between the engine and a class that may be wrong: it believes no victim.

It knows the hooks of `EvictionPolicy`. The engine would notice a wrong victim too, but later and in
its own words; here the fault is named as the learner's.
"""

from collections.abc import Mapping

from radixlab.cache.errors import PolicyError
from radixlab.cache.protocols import EvictionPolicy, PolicyNode
from radixlab.exercise.plain import plain_text

HOOKS: Mapping[str, tuple[str, ...]] = {
    "on_insert": ("node", "tick"),
    "on_hit": ("node", "tick"),
    "on_split": ("upper", "lower"),
    "on_remove": ("node",),
    "on_evictable": ("node",),
    "on_protected": ("node",),
}
"""What a policy may hear, and with which arguments."""


class GuardedPolicy(EvictionPolicy):
    """Passes every hook on, keeps the candidates, and lets only one of these be a victim."""

    def __init__(self, policy: EvictionPolicy) -> None:
        self.policy = policy
        self.name, self.reason = policy.name, policy.reason
        self.max_blocks = policy.max_blocks
        self._known: dict[int, PolicyNode] = {}
        self._candidates: dict[int, PolicyNode] = {}

    def on_insert(self, node: PolicyNode, tick: int) -> None:
        """Pass on a new node."""
        self._known[node.id] = node
        self.policy.on_insert(node, tick)

    def on_hit(self, node: PolicyNode, tick: int) -> None:
        """Pass on a hit."""
        self.policy.on_hit(node, tick)

    def on_split(self, upper: PolicyNode, lower: PolicyNode) -> None:
        """Pass on a split; the upper half is new."""
        self._known[upper.id] = upper
        self.policy.on_split(upper, lower)

    def on_remove(self, node: PolicyNode) -> None:
        """Pass on that a node is gone."""
        self._known.pop(node.id, None)
        self._candidates.pop(node.id, None)
        self.policy.on_remove(node)

    def on_evictable(self, node: PolicyNode) -> None:
        """Pass on a candidate."""
        self._candidates[node.id] = node
        self.policy.on_evictable(node)

    def on_protected(self, node: PolicyNode) -> None:
        """Pass on that a node is not a candidate any more."""
        self._candidates.pop(node.id, None)
        self.policy.on_protected(node)

    def victim(self) -> PolicyNode | None:
        """Ask, and raise `PolicyError` unless the answer is a candidate, or None without any."""
        try:
            node: PolicyNode | None = self.policy.victim()
        except Exception as error:  # the engine would put its text into a message: it may have none
            raise PolicyError("victim() failed") from error
        num = len(self._candidates)
        if node is None and num:
            raise PolicyError(f"victim() returned None while {_nodes(num)} could be evicted")
        if node is None or any(node is known for known in self._named(node, self._candidates)):
            return node
        if any(node is known for known in self._named(node, self._known)):
            why = "is locked or has children"
        elif isinstance(getattr(node, "id", None), int) and hasattr(node, "num_blocks"):
            why = "is not in the tree any more"
        else:
            raise PolicyError(f"victim() must return a node, and returned {plain_text(node)}")
        raise PolicyError(
            f"victim() returned node {node.id}, which {why}; {_nodes(num)} may be evicted"
        )

    def _named(self, node: object, nodes: dict[int, PolicyNode]) -> list[PolicyNode]:
        """Return the node that goes by the same id, if there is one."""
        id = getattr(node, "id", None)
        return [nodes[id]] if isinstance(id, int) and id in nodes else []


def _nodes(num: int) -> str:
    return f"{num} node{'' if num == 1 else 's'}"
