"""Who names the victims of a cache with a learner's parts: their policy, or their tree itself.

Beside the learner's policy an LRU hears everything, and takes over if the policy breaks a rule.
This file also notes, for a learner's tree, which blocks went and which leaves became candidates.
"""

from collections.abc import Callable
from typing import Any

from radixlab.cache.eviction import LRU
from radixlab.cache.node import Node
from radixlab.cache.protocols import EvictionPolicy, PolicyNode
from radixlab.escape import count
from radixlab.exercise.plain import plain_number, plain_text
from radixlab.grade.ex4.play import WrongVictim
from radixlab.guarded_call import CallFailed, Watch
from radixlab.yours.fault import PartFault

VERDICTS = (
    ("returned None", "E4"),
    ("is locked or has children", "E1"),
    ("not in the tree any more", "E6"),
)
"""Phrases in the messages of 8.5.4's host, each with the rule that such a policy breaks."""
Choose = Callable[[dict[int, Any]], Node | None]
"""Names a victim among the candidates, which are given by id."""


class Ruling(EvictionPolicy):
    """Passes on what happens, checks every victim, and goes on by LRU after a fault."""

    name = "yours"
    reason = "your policy"

    def __init__(self, policy: EvictionPolicy | None, watch: Watch) -> None:
        self.policy = policy
        self.max_blocks = most_blocks(policy)
        self.choose: Choose | None = None
        """If set, and there is no policy, the tree's own choice, one block at a time."""
        self.on_fault: Callable[[PartFault], object] = lambda fault: None
        self.is_looking = False
        """Whether the caller only looks at the next victim; a tree, if asked, would evict it."""
        self.leaves: dict[int, Any] = {}
        """The candidates by id."""
        self.changed: dict[int, Any] = {}
        """Nodes that became candidates, or stopped being candidates, since `take_news`."""
        self.is_stale = False
        """Whether other nodes than victims were removed, as when the cache is cleared."""
        self._watch = watch
        self._spare = LRU()
        self._pending: tuple[Any, list[int]] | None = None
        """The last victim, with its blocks at that time."""
        self._gone: list[tuple[Any, list[int]]] = []

    def obey(self, policy: EvictionPolicy) -> None:
        """Let a policy rule; raise `ValueError` if it asks for an impossible number of blocks."""
        self.max_blocks, self.policy = most_blocks(policy), policy

    def rule_by(self, choose: Choose) -> None:
        """Let a tree choose by itself."""
        self.choose, self.max_blocks, self.reason = choose, 1, "your tree's choice"

    # ---- hooks

    def on_insert(self, node: PolicyNode, tick: int) -> None:
        """Pass on a new node."""
        self._tell("on_insert", node, tick)

    def on_hit(self, node: PolicyNode, tick: int) -> None:
        """Pass on a hit."""
        self._tell("on_hit", node, tick)

    def on_split(self, upper: PolicyNode, lower: PolicyNode) -> None:
        """Pass on a split."""
        self._forget_named(lower)
        self._tell("on_split", upper, lower)

    def on_remove(self, node: PolicyNode) -> None:
        """Pass on that a node is gone."""
        self.leaves.pop(node.id, None)
        if self._pending is None or self._pending[0] is not node:
            self.is_stale = True
        self._tell("on_remove", node)

    def on_evictable(self, node: PolicyNode) -> None:
        """Pass on a candidate."""
        self.leaves[node.id] = self.changed[node.id] = node
        self._tell("on_evictable", node)

    def on_protected(self, node: PolicyNode) -> None:
        """Pass on that a node stopped being a candidate."""
        self.leaves.pop(node.id, None)
        self.changed[node.id] = node
        self._forget_named(node)
        self._tell("on_protected", node)

    # ---- victims

    def victim(self) -> PolicyNode | None:
        """Ask the part that names victims; after a fault, ask LRU."""
        if self.is_looking:
            return self._spare.victim() if self.policy is None else self._named()
        self._note()
        node: PolicyNode | None = self._named()
        if isinstance(node, Node):
            self._pending = node, node.block_ids.tolist()
        return node

    def take_news(self) -> tuple[list[tuple[Any, list[int]]], list[Any]]:
        """Return and forget what was evicted, node by node, and whose standing has changed."""
        self._note()
        news = self._gone, list(self.changed.values())
        self._gone, self.changed, self._pending = [], {}, None
        return news

    def drop_policy(self) -> None:
        """Go on by LRU."""
        self.policy, self.choose, self.max_blocks = None, None, None
        self.reason = LRU.reason

    def _forget_named(self, node: PolicyNode) -> None:
        """Forget a victim that was only looked at: something else happens to it now."""
        if self._pending and self._pending[0] is node:
            self._pending = None

    def _note(self) -> None:
        """Note what was taken off the last victim."""
        if self._pending:
            node, before = self._pending
            left = node.num_blocks if node.alive else 0
            if len(before) > left:
                self._gone.append((node, before[left:]))
                self.changed[node.id] = node
            self._pending = None if left == 0 else (node, before[:left])

    def _named(self) -> Any:
        if not self.leaves:
            return None
        try:
            if self.policy is not None:
                return self._checked(self._watch.call(self._asked, self.policy))
            if self.choose is not None:
                return self.choose(self.leaves)
        except CallFailed as error:
            self._fail(PartFault("policy", "E3", "victim()", f"it {error}"))
        except PartFault as fault:
            self._fail(fault)
        return self._spare.victim()

    @staticmethod
    def _asked(policy: EvictionPolicy) -> Any:
        """Ask a policy; the exercise's host has a verdict of its own."""
        try:
            return policy.victim()
        except WrongVictim as verdict:
            return verdict

    def _checked(self, node: Any) -> Any:
        """Return the node if it may be a victim, else raise `PartFault`."""
        num = len(self.leaves)
        if isinstance(node, WrongVictim):
            said = str(node).removeprefix("victim() ").rstrip(".")
            rule = next((rule for words, rule in VERDICTS if words in said), "E3")
            raise _wrong(rule, f"it {said}")
        if node is None:
            raise _wrong("E4", f"it returned None while {count(num, 'node')} could be evicted")
        if type(node) is not Node:
            raise _wrong("E3", f"it must return a node, not {plain_text(node)}")
        leaf = self.leaves.get(node.id)
        if leaf is node:
            return node
        if leaf is not None:
            raise _wrong("E3", f"it returned a copy of node {node.id}, and not the node")
        if not node.alive:
            raise _wrong("E6", f"node {node.id} is not in the tree any more")
        rule, why = ("L4", "is locked") if node.locked else ("E1", "has children")
        raise _wrong(rule, f"node {node.id} {why}; {count(num, 'node')} may be evicted")

    def _tell(self, hook: str, *arguments: Any) -> None:
        getattr(self._spare, hook)(*arguments)
        if self.policy is not None:
            try:
                self._watch.call(_hear, self.policy, hook, *arguments)
            except CallFailed as error:
                self._fail(PartFault("policy", "E3", f"{hook}()", f"it {error}"))

    def _fail(self, fault: PartFault) -> None:
        if fault.part == "policy":
            self.drop_policy()
        self.on_fault(fault)


def most_blocks(policy: Any) -> int | None:
    """Return how many blocks to take off a victim of a policy at most; raise `ValueError`."""
    given = getattr(policy, "max_blocks", None)
    most = plain_number(given)
    if given is None or (type(most) is int and most >= 1):
        return None if given is None else int(most)
    raise ValueError(f"max_blocks must be None or a whole number from 1 on, and is {most}")


def _hear(policy: Any, hook: str, *arguments: Any) -> None:
    """Call a hook: under the watch, because even looking for it may run a learner's code."""
    getattr(policy, hook)(*arguments)


def _wrong(rule: str, what: str) -> PartFault:
    return PartFault("policy", rule, "victim()", what)
