"""A learner's policy in the real engine, across the border to their process or without one.

Whatever the policy answers is checked here before the engine acts on it.
"""

from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import numpy as np

from radixlab.cache import CacheError, KVCacheManager
from radixlab.cache.errors import PolicyError
from radixlab.cache.eviction import LRU
from radixlab.cache.eviction.content import content_key
from radixlab.cache.protocols import EvictionPolicy, PolicyNode
from radixlab.config import CacheConfig
from radixlab.escape import count
from radixlab.grade.ex4.oracle import under_lru
from radixlab.grade.ex4.traffic import Case, Trace
from radixlab.grade.items import Failed, Trial
from radixlab.grade.reading import shown
from radixlab.workloads import Request
from radixlab.workloads.replay import ReplayResult, replay

LETTERS_A_BLOCK = 4
MAX_STORY = 40_000
"""Events that are kept to explain a fault."""


class WrongVictim(Failed):
    """A victim that may not be evicted, is not a node at all, or is not the one asked for."""


class Hosted(EvictionPolicy):
    """Passes on what happens, in one batch per victim, and believes no answer.

    `salt` goes into the keys that the policy sees, so that no table of known keys is of use.
    """

    name = "yours"
    reason = "your policy"

    def __init__(self, host: Any, salt: int = 0) -> None:
        self._host, self._salt = host, salt.to_bytes(16, "little", signed=True)
        self._events: list[tuple[Any, ...]] = []
        self._keys: dict[int, int] = {}
        self._evictable: dict[int, PolicyNode] = {}
        self._last: PolicyNode | None = None
        self.victims: list[int] = []
        """Node ids in the order named."""
        self.story: list[tuple[Any, ...]] = []
        """What was passed on of late, in order."""

    def on_insert(self, node: PolicyNode, tick: int) -> None:
        """Pass on a new node, with its name that survives eviction."""
        self._events.append(("on_insert", node.id, _parent(node), self._key(node), *_facts(node)))

    def on_hit(self, node: PolicyNode, tick: int) -> None:
        """Pass on a hit."""
        num_blocks, end, _, num_hits = _facts(node)
        self._events.append(("on_hit", node.id, num_blocks, end, tick, num_hits))

    def on_split(self, upper: PolicyNode, lower: PolicyNode) -> None:
        """Pass on a split: the upper half is new and keeps the name, the lower gets another."""
        self._keys[upper.id] = self._keys[lower.id]
        ids = (upper.id, lower.id, _parent(upper), self._key(lower))
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
        """Pass on that a node is not a candidate any more."""
        self._evictable.pop(node.id, None)
        self._events.append(("on_protected", node.id, *_facts(node)))

    def victim(self) -> PolicyNode | None:
        """Ask, and check the answer.

        Raises
        ------
        WrongVictim
            The answer is not an unlocked leaf, or it is None while there are some.
        """
        last = self._last
        if last is not None and last.id in self._evictable:
            self._events.append(("trimmed", last.id, *_facts(last)))
        events, self._events = self._events, []
        self.story = self.story[-MAX_STORY:] if len(self.story) > 2 * MAX_STORY else self.story
        self.story += events
        id, _ = answer(self._host, events)
        self._last = node = self._legal(id)
        if node is not None:
            self.victims.append(node.id)
        return node

    def flush(self) -> None:
        """Pass on what is left, when no victim is asked for any more."""
        self._host.hear(self._events)
        self._events = []

    def _key(self, node: PolicyNode) -> int:
        self._keys[node.id] = key = content_key(node, self._keys)
        name = blake2b(key.to_bytes(4, "little"), digest_size=4, key=self._salt)
        return int.from_bytes(name.digest(), "little")

    def _legal(self, id: object) -> PolicyNode | None:
        if type(id) is int and id in self._evictable:
            return self._evictable[id]
        num = len(self._evictable)
        if id is None and not num:
            return None
        if id is None:
            raise WrongVictim(
                f"victim() returned None while {count(num, 'node')} could be evicted."
            )
        if type(id) is not int:
            raise WrongVictim(f"victim() must return a node, and returned {shown(id)}.")
        why = "is locked or has children" if id in self._keys else "is not in the tree any more"
        raise WrongVictim(f"victim() returned node {shown(id)}, which {why}; {num} may be evicted.")


class InOrder(Hosted):
    """Compares every victim with LRU's; of leaves with equal ticks any will do."""

    def __init__(self, host: Any, salt: int = 0) -> None:
        super().__init__(host, salt)
        self._lru = LRU()

    def on_evictable(self, node: PolicyNode) -> None:
        """Pass on a candidate, to LRU as well."""
        super().on_evictable(node)
        self._lru.on_evictable(node)

    def victim(self) -> PolicyNode | None:
        """Ask both."""
        right, node = self._lru.victim(), super().victim()
        if node and right and node.tick != right.tick:
            raise WrongVictim(
                f"Victim {len(self.victims):,} is node {node.id}, last used at tick {node.tick}; "
                f"node {right.id} was last used at tick {right.tick}."
            )
        return node


class Telling(Hosted):
    """Notes the letters that end with each victim."""

    def __init__(self, host: Any) -> None:
        super().__init__(host)
        self.told: list[str] = []

    def victim(self) -> PolicyNode | None:
        """Ask, and note."""
        node = super().victim()
        if node is not None:
            self.told.append(_text(node))
        return node


def serve_letters(host: Any, case: Case) -> list[str]:
    """Serve prompts one after the other in a small cache; return what was evicted, in order."""
    prompts, num_blocks = case
    policy = Telling(host)
    manager = KVCacheManager(CacheConfig(num_blocks, LETTERS_A_BLOCK), policy=policy)
    for prompt in prompts:
        tokens = np.frombuffer(prompt.encode("utf-32-le"), np.int32)
        try:
            sequence = manager.allocate(tokens)
        except PolicyError as error:
            raise (error.__cause__ or error) from None
        except CacheError:  # longer than the pool
            continue
        manager.commit(sequence, len(tokens))
        manager.release(sequence)
    policy.flush()
    return policy.told


@dataclass(frozen=True, slots=True)
class Run:
    """A learner's policy on one trace, and LRU on the same."""

    trace: Trace
    result: ReplayResult
    victims: list[int]
    lru: ReplayResult

    @property
    def over_lru(self) -> float:
        """How much more of the prompt tokens it found than LRU."""
        return self.result.token_hit_rate - self.lru.token_hit_rate


_PLAIN = (bool, int, float, str, bytes, list, tuple, dict, set)
"""What crosses the border as a copy; a host stays where it is."""


def make_host(trial: Trial, name: str) -> Any:
    """Make a learner's policy, and its host, where the learner's code runs."""
    host = trial.call("radixlab.exercise.policy:make_host", getattr(trial.learner, name))
    if host is None or isinstance(host, _PLAIN):
        raise Failed(f"What plays {name} beside your code was replaced; it is {shown(host)}.")
    return host


def answer(host: Any, events: list[tuple[Any, ...]]) -> tuple[object, int]:
    """Ask for a victim; return what it says is the node's id, and how many nodes it examined."""
    said = host.victim(events)
    id, examined = said if type(said) is tuple and len(said) == 2 else (said, 0)
    return id, examined if type(examined) is int and 0 <= examined < 10**9 else 0


def play(trial: Trial, trace: Trace) -> Run:
    """Replay a trace under MyPolicy."""
    policy = Hosted(make_host(trial, "MyPolicy"), salt=trial.seed)
    result = replay_under(policy, trace.config, trace.requests())
    return Run(trace, result, policy.victims, under_lru(trace))


def replay_under(
    policy: EvictionPolicy, config: CacheConfig, requests: list[Request]
) -> ReplayResult:
    """Replay; what a policy raised comes out as it was."""
    try:
        return replay(KVCacheManager(config, policy=policy), requests)
    except PolicyError as error:
        raise (error.__cause__ or error) from None


def _text(node: PolicyNode) -> str:
    letters = bytes(node.edge).decode("utf-32-le")
    above = node.parent
    return (_text(above) if above is not None and above.num_blocks else "") + letters


def _parent(node: PolicyNode) -> int | None:
    return node.parent.id if node.parent is not None else None


def _facts(node: PolicyNode) -> tuple[int, int, int, int]:
    return node.num_blocks, node.end, node.tick, node.num_hits
