"""What exercise 8.5.4 hands out: nodes as a policy sees them, and what asks it for victims.

An eviction policy hears what happens to the nodes of the tree, through hooks, and names the next
victim. The hooks are the engine's own, so what is written here runs in the real engine.
"""

import gc
from collections import deque
from collections.abc import Callable
from types import BuiltinFunctionType, CodeType, FunctionType, ModuleType
from typing import Any, Protocol

from radixlab.exercise.plain import plain_text

MAX_COUNTED = 100_000
"""Entries beyond which `weight` stops counting."""


class Node:
    """A node of the tree: a run of whole blocks below its parent. Read it; the host updates it."""

    def __init__(self, host: "PolicyHost", id: int, parent: "Node | None", key: int) -> None:
        self._host, self._id, self._parent, self._key = host, id, parent, key
        self._num_blocks = self._end = self._tick = self._num_hits = 0
        self._evictable = False

    @property
    def id(self) -> int:
        """Never used twice: a prefix that was evicted and comes back is a new node."""
        return self._id  # known without looking at the node

    @property
    def parent(self) -> "Node | None":
        """The node above; None at the top."""
        return self._read()._parent

    @property
    def key(self) -> int:
        """Names the path down to this node's first block.

        It is the same again when a prefix that was evicted comes back.
        """
        return self._read()._key

    @property
    def num_blocks(self) -> int:
        """How many blocks it holds."""
        return self._read()._num_blocks

    @property
    def end(self) -> int:
        """Blocks from the top of the tree to the end of this node."""
        return self._read()._end

    @property
    def tick(self) -> int:
        """When it was last used. Every request takes two ticks, at its start and at its end."""
        return self._read()._tick

    @property
    def num_hits(self) -> int:
        """How many requests found it."""
        return self._read()._num_hits

    @property
    def evictable(self) -> bool:
        """Whether it is an unlocked leaf now, so that it may be a victim."""
        return self._read()._evictable

    def __repr__(self) -> str:
        return f"<node {self._id}>"

    def _read(self) -> "Node":
        self._host.examined.add(self._id)
        return self


class Policy(Protocol):
    """What you write. Leave out the hooks that you do not need; `victim` is required."""

    def on_insert(self, node: Node, tick: int) -> None:
        """Hear of a new node."""

    def on_hit(self, node: Node, tick: int) -> None:
        """Hear that a request found the node, and will use it."""

    def on_split(self, upper: Node, lower: Node) -> None:
        """Hear that `lower` gave its first blocks to the new node `upper`, now its parent."""

    def on_remove(self, node: Node) -> None:
        """Hear that the node is gone: its last block was evicted."""

    def on_evictable(self, node: Node) -> None:
        """Hear that the node has become an unlocked leaf."""

    def on_protected(self, node: Node) -> None:
        """Hear that it no longer is one: it was locked, or got a child."""

    def victim(self) -> Node | None:
        """Return the evictable node to evict from next, or None if there is none.

        It stays until its last block is gone.
        """


Event = tuple[Any, ...]
"""`(hook, id, …)`, as `PolicyHost.hear` takes it apart."""


class PolicyHost:
    """Runs a policy on events that come as plain tuples."""

    def __init__(self, policy: Any) -> None:
        self._policy = policy
        self._nodes: dict[int, Node] = {}
        self.examined: set[int] = set()
        """Nodes whose fields were read since it was last emptied."""

    def victim(self, events: list[Event]) -> tuple[int | str | None, int]:
        """Tell the policy what happened, ask for a victim; return its id and how many it examined.

        A victim that is not a node of this host comes back as text.
        """
        self.hear(events)
        self.examined.clear()
        node = self._policy.victim()
        num_examined = len(self.examined)
        if node is None:
            return None, num_examined
        if type(node) is not Node:
            return plain_text(node), num_examined
        return (node._id if node._host is self else "a node of another cache"), num_examined

    def hear(self, events: list[Event]) -> None:
        """Tell the policy what happened, in order."""
        for hook, id, *facts in events:
            if hook == "on_insert":
                parent, key = facts.pop(0), facts.pop(0)
                node = self._nodes[id] = Node(self, id, self._nodes.get(parent), key)
                self._update(node, facts)
                self._call(hook, node, node._tick)
            elif hook == "on_hit":
                self._update(self._nodes[id], facts)
                self._call(hook, self._nodes[id], facts[2])
            elif hook == "on_split":
                self._split(id, *facts)
            elif hook == "on_remove":
                self._nodes[id]._evictable = False
                self._call(hook, self._nodes.pop(id))
            elif hook == "trimmed":
                self._update(self._nodes[id], facts)
            else:
                self._update(self._nodes[id], facts)
                self._nodes[id]._evictable = hook == "on_evictable"
                self._call(hook, self._nodes[id])

    def weight(self) -> int:
        """Count what the policy keeps: entries of containers, objects, and each 8 bytes of others.

        It looks behind slots, closures, the policy's class and the globals of its methods as the
        garbage collector does, and runs none of the policy's code.
        """
        kind = type(self._policy)
        methods = [value for value in vars(kind).values() if type(value) is FunctionType]
        own = [method.__globals__ for method in methods]
        seen: dict[int, Any] = {}
        todo: list[Any] = [self._policy, kind, *own]
        entries = 0
        while todo and entries < MAX_COUNTED:
            value = todo.pop()
            if id(value) in seen or not _belongs(value, own):
                continue
            seen[id(value)] = value
            entries += _size(value)
            todo += gc.get_referents(value)
        return entries

    def _split(
        self, upper_id: int, lower_id: int, parent: int, lower_key: int, *facts: Any
    ) -> None:
        lower = self._nodes[lower_id]
        upper = Node(self, upper_id, self._nodes.get(parent), lower._key)
        self._nodes[upper_id] = upper
        self._update(upper, facts[:4])
        self._update(lower, facts[4:])
        lower._parent, lower._key = upper, lower_key
        self._call("on_split", upper, lower)

    def _update(self, node: Node, facts: Any) -> None:
        node._num_blocks, node._end, node._tick, node._num_hits = facts

    def _call(self, hook: str, *args: Any) -> None:
        method = getattr(self._policy, hook, None)
        if method is not None:
            method(*args)


_CONTAINERS: tuple[Any, ...] = (dict, list, tuple, set, frozenset, deque)


def _belongs(value: Any, own: list[Any]) -> bool:
    """Whether a value can be the policy's: no module, no node, and no code of anybody else's."""
    kind = type(value)
    if kind is FunctionType:
        return any(value.__globals__ is names for names in own)
    if issubclass(kind, type):
        return any(value.__module__ == names.get("__name__") for names in own)
    return not issubclass(kind, Node | PolicyHost | ModuleType | CodeType | BuiltinFunctionType)


def _size(value: Any) -> int:
    for container in _CONTAINERS:
        if issubclass(type(value), container):
            return int(container.__len__(value))
    if type(value) in (int, str):
        return (value.bit_length() if type(value) is int else 8 * len(value)) // 64
    try:
        return memoryview(value).nbytes // 8  # bytes, arrays of Python's and NumPy's
    except (TypeError, ValueError, BufferError):
        return 1


def make_host(make_policy: Callable[[], Any]) -> PolicyHost:
    """Make a policy and its host."""
    return PolicyHost(make_policy())
