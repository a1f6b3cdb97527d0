"""Our policies, or a learner's, behind `CachePolicy` of vLLM's CPU offload (vLLM 0.33.0).

vLLM finds a class by its name and this module's: `"eviction_policy": "RadixlabAdaptive"`,
`"cache_policy_module_path": "radixlab.bridge.vllm_policy"`.

| class | what it does |
|---|---|
| `RadixlabFlatLRU` | our LRU over keys without order: evicts what vLLM's own `lru` evicts |
| `RadixlabLRU` | our LRU, and no chunk goes before the chunks that follow it |
| `RadixlabAdaptive` | our adaptive policy, in the same way |
| `RadixlabYours` | a policy of exercise 8.5.4, from the file that `RADIXLAB_POLICY` names |

This file needs vLLM. Nothing in radixlab imports it.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from vllm.v1.kv_offload.base import OffloadKey, ReqContext, get_offload_group_idx
from vllm.v1.kv_offload.cpu.policies.base import CachePolicy, ChunkStatus, order_request_keys

from radixlab.bridge.chunks import Chunks
from radixlab.bridge.part_file import POLICY, part_of
from radixlab.bridge.your_policy import YourPolicy
from radixlab.cache.eviction import LRU, Adaptive
from radixlab.cache.protocols import EvictionPolicy

POSITIONS = 2**40
"""More than a request has tokens."""
GROUPS = 2**16
"""More than a model has groups of layers."""


@dataclass(slots=True)
class Turn:
    """A request's place in the order of use, and its keys by position."""

    owner: object
    generation: int
    number: int
    keys: list[tuple[int, int, OffloadKey]]
    """(group, position, key), sorted."""


class RadixlabLRU(CachePolicy):  # type: ignore[misc]  # vLLM may not be installed
    """Our LRU; a chunk goes after all chunks that follow it."""

    make_policy: ClassVar[Callable[[], EvictionPolicy]] = LRU
    flat: ClassVar[bool] = False

    def __init__(self, cache_capacity: int) -> None:
        super().__init__(cache_capacity)
        self._chunks = Chunks(self._new_policy(), self.flat)
        self._number = self._generation = 0

    # ---- what vLLM calls

    def get(self, key: OffloadKey) -> ChunkStatus | None:
        """Return what vLLM stored with a key; None if it is not cached."""
        chunk = self._chunks.chunks.get(key)
        return None if chunk is None else chunk.held

    def insert(self, key: OffloadKey, chunk: ChunkStatus, req_context: ReqContext) -> None:
        """Add a chunk; it cannot be evicted while it is being stored."""
        above = None if self.flat else self._above(key, req_context)
        tick = self._tick_in_turn(key, req_context)
        self._chunks.insert(key, above, chunk, tick, pinned=chunk.ref_cnt != 0)

    def remove(self, key: OffloadKey) -> None:
        """Forget a chunk whose store failed."""
        self._chunks.remove(key)

    def touch(self, keys: Iterable[OffloadKey], req_context: ReqContext) -> None:
        """Note that chunks were used, the last one of them first."""
        self._use(list(keys), frozenset())

    def on_request_access(self, keys: Iterable[OffloadKey], req_context: ReqContext) -> None:
        """Note a request's first look at its chunks: all of them share the request's turn."""
        self._turn(req_context)
        for key in keys:
            if key not in self._chunks.chunks:
                continue
            if req_context.get_offload_key_position(key) is None:
                continue
            tick = self._tick_in_turn(key, req_context)
            if self._chunks.chunks[key].tick < tick:
                self._chunks.use(key, tick)

    def on_request_finished(
        self,
        key_groups: Sequence[Sequence[OffloadKey]],
        insertion_only_keys: set[OffloadKey],
        reused_keys: set[OffloadKey],
        req_context: ReqContext,
    ) -> None:
        """Note that a request is over; chunks that it found, and did not store, count one hit."""
        self._use(order_request_keys(key_groups, req_context), reused_keys)

    def evict(
        self, n: int, protected: set[OffloadKey]
    ) -> list[tuple[OffloadKey, ChunkStatus]] | None:
        """Evict exactly `n` unprotected chunks; if there are fewer, change nothing and return None.

        Raises `BrokenPartError` for a policy that names a wrong victim. Then no chunk is gone.
        """
        gone = self._chunks.evict(n, protected)
        return None if gone is None else [(OffloadKey(c.key), c.held) for c in gone]

    def clear(self) -> None:
        """Forget all chunks, and what the policy learned."""
        self._chunks.clear(self._new_policy())
        self._generation += 1
        self._number = 0

    def mark_evictable(self, key: OffloadKey) -> None:
        """Hear that nobody reads or writes a chunk any more."""
        self._chunks.unpin(key)

    def mark_non_evictable(self, key: OffloadKey) -> None:
        """Hear that somebody reads a chunk."""
        self._chunks.pin(key)

    # ---- time: a turn per request, and in it later positions are older

    def _new_policy(self) -> EvictionPolicy:
        return type(self).make_policy()

    def _use(self, keys: list[OffloadKey], reused: Iterable[OffloadKey]) -> None:
        """Stamp chunks as used: all with one new turn or, if flat, each with its own."""
        tick = self._next()
        for key in reversed(keys):
            if key in self._chunks.chunks:
                self._chunks.use(key, tick, hit=key in reused)
                tick = self._next() if self.flat else tick

    def _next(self) -> int:
        self._number += 1
        return self._number * POSITIONS * GROUPS if self.flat else self._number

    def _tick_in_turn(self, key: OffloadKey, context: ReqContext) -> int:
        """Return the stamp of a chunk in its request's turn; flat stamps tell positions apart."""
        position = context.get_offload_key_position(key)
        if position is None:
            return self._next()
        number = self._turn(context).number
        if not self.flat:
            return number
        return (number * POSITIONS - int(position)) * GROUPS + int(get_offload_group_idx(key))

    def _turn(self, context: ReqContext) -> Turn:
        turn: Turn | None = context.get_state(Turn)
        if turn is None or turn.owner is not self or turn.generation != self._generation:
            self._number += 1
            turn = Turn(self, self._generation, self._number, [])
            context.set_state(turn)
        return turn

    # ---- order: the chunk before a chunk is the one at the position before it

    def _above(self, key: OffloadKey, context: ReqContext) -> OffloadKey | None:
        """Return the key before this one in the request; None for the first.

        vLLM notes the positions of all keys of a request, found or stored, in a field of the
        context that is not public. Without that field there is no order, and each chunk stands
        alone.
        """
        positions = getattr(context, "_offload_key_positions", {})
        position = positions.get(key)
        if position is None:
            return None
        turn = self._turn(context)
        if len(turn.keys) != len(positions):
            turn.keys = sorted((get_offload_group_idx(k), p, k) for k, p in positions.items())
        group = get_offload_group_idx(key)
        index = bisect_left(turn.keys, (group, position))
        before = turn.keys[index - 1] if index else None
        return before[2] if before and before[0] == group else None


class RadixlabFlatLRU(RadixlabLRU):
    """Our LRU over keys without order, as vLLM's own `lru`: a parent may go before its child."""

    flat = True


class RadixlabAdaptive(RadixlabLRU):
    """Our adaptive policy, which learns from the traffic."""

    make_policy = Adaptive


class RadixlabYours(RadixlabLRU):
    """The policy of exercise 8.5.4 that `RADIXLAB_POLICY` names."""

    def _new_policy(self) -> EvictionPolicy:
        return YourPolicy.made_by(part_of(POLICY, "mine.py:MyPolicy"))
