"""A learner's policy in the real engine, across the border to their process or without one."""

from dataclasses import dataclass, field
from typing import Any

from radixlab.cache.eviction.content import content_key
from radixlab.cache.protocols import EvictionPolicy, PolicyNode
from radixlab.grade.items import Failed


class IllegalVictim(Failed):
    """A victim that may not be evicted, or is not a node at all."""


@dataclass(slots=True)
class Counts:
    """What the engine saw of a policy."""

    num_victims: int = 0
    num_examined: int = 0
    victims: list[int] = field(default_factory=list)
    """Node ids in the order named."""


class Hosted(EvictionPolicy):
    """Passes on what happens, in one batch per victim, and believes no answer."""

    name = "yours"
    reason = "your policy"

    def __init__(self, host: Any) -> None:
        self._host = host
        self._events: list[tuple[Any, ...]] = []
        self._keys: dict[int, int] = {}
        self._evictable: dict[int, PolicyNode] = {}
        self._last: PolicyNode | None = None
        self.counts = Counts()
        self.story: list[tuple[Any, ...]] = []
        """All that was passed on, in order."""

    def on_insert(self, node: PolicyNode, tick: int) -> None:
        """Pass on a new node, with its name that survives eviction."""
        key = self._keys[node.id] = content_key(node, self._keys)
        self._events.append(("on_insert", node.id, _parent(node), key, *_facts(node)))

    def on_hit(self, node: PolicyNode, tick: int) -> None:
        """Pass on a hit."""
        num_blocks, end, _, num_hits = _facts(node)
        self._events.append(("on_hit", node.id, num_blocks, end, tick, num_hits))

    def on_split(self, upper: PolicyNode, lower: PolicyNode) -> None:
        """Pass on a split: the upper half is new and keeps the name, the lower gets another."""
        self._keys[upper.id] = self._keys[lower.id]
        key = self._keys[lower.id] = content_key(lower, self._keys)
        ids = (upper.id, lower.id, _parent(upper), key)
        self._events.append(("on_split", *ids, *_facts(upper), *_facts(lower)))

    def on_remove(self, node: PolicyNode) -> None:
        """Pass on that a node is gone."""
        del self._keys[node.id]
        self._evictable.pop(node.id, None)
        self._events.append(("on_remove", node.id))

    def on_evictable(self, node: PolicyNode) -> None:
        """Pass on a candidate."""
        self._evictable[node.id] = node
        self._events.append(("on_evictable", node.id, *_facts(node)))

    def on_protected(self, node: PolicyNode) -> None:
        """Pass on that a candidate is none any more."""
        self._evictable.pop(node.id, None)
        self._events.append(("on_protected", node.id, *_facts(node)))

    def victim(self) -> PolicyNode | None:
        """Ask, and look the answer over.

        Raises
        ------
        IllegalVictim
            It is no unlocked leaf, or None while there are some.
        """
        last = self._last
        if last is not None and last.id in self._evictable:
            self._events.append(("trimmed", last.id, *_facts(last)))
        events, self._events = self._events, []
        self.story += events
        answer = self._host.victim(events)
        id, examined = answer if isinstance(answer, tuple) and len(answer) == 2 else (answer, 0)
        self._last = self._legal(id)
        self.counts.num_victims += 1
        self.counts.num_examined += examined if type(examined) is int and examined >= 0 else 0
        self.counts.victims.append(self._last.id)
        return self._last

    def flush(self) -> None:
        """Pass on what is left, when no victim is asked for any more."""
        self._host.hear(self._events)
        self._events = []

    def _legal(self, id: object) -> PolicyNode:
        if type(id) is int and id in self._evictable:
            return self._evictable[id]
        num = len(self._evictable)
        if id is None:
            raise IllegalVictim(f"victim() returned None while {num} nodes could be evicted.")
        if type(id) is not int:
            raise IllegalVictim(f"victim() must return a node, and returned {id!s:.80}.")
        known = id in self._keys
        why = "is locked or has children" if known else "is not in the tree any more"
        raise IllegalVictim(f"victim() returned node {id}, which {why}; {num} may be evicted.")


def _parent(node: PolicyNode) -> int | None:
    return node.parent.id if node.parent is not None else None


def _facts(node: PolicyNode) -> tuple[int, int, int, int]:
    return node.num_blocks, node.end, node.tick, node.num_hits
