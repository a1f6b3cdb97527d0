"""Chunks on vLLM's CPU tier as nodes of a policy: flat keys in, victims out.

vLLM's offload manager knows chunks by keys without order. A key is the hash of a whole prefix, so a
chunk is useless once the chunk before it is gone; the policy must keep parents longer than their
children. `Chunks` knows which chunk follows which, and offers the policy only chunks that nobody
reads, that vLLM does not protect and that no cached chunk follows. With `flat=True` it forgets the
order, as vLLM's own LRU does, so that both can be compared.

This file knows keys and chunks. It knows neither vLLM nor requests.
"""

from collections import Counter
from collections.abc import Iterable
from typing import Any, NoReturn

from radixlab.bridge.errors import BrokenPartError, raised
from radixlab.cache.protocols import EvictionPolicy
from radixlab.escape import count
from radixlab.exercise.plain import plain_text

Key = bytes


class Chunk:
    """A chunk as a policy sees it: a node of one block."""

    num_blocks = 1
    namespace = None
    priority = 0

    def __init__(
        self, id: int, key: Key, above: Key | None, parent: "Chunk | None", tick: int, held: Any
    ) -> None:
        self.id = id
        self.key = key
        self.edge = key
        """Its content, for policies that remember what they evicted."""
        self.above = above
        """The key before it, whether that is cached or not."""
        self.parent = parent
        """The chunk before it, if that was cached when this one came."""
        self.end: int = parent.end + 1 if parent else 1
        self.tick = tick
        self.num_hits = 0
        self.held = held
        """What vLLM stores with the key."""
        self.num_pins = 0
        """How many reasons keep it: it is read or written, vLLM protects it, or it was evicted."""
        self.num_children = 0

    @property
    def evictable(self) -> bool:
        """Whether it may be a victim now."""
        return not (self.num_pins or self.num_children)

    def __repr__(self) -> str:
        return f"<chunk {self.id}>"


class Chunks:
    """Cached chunks by key, and the policy that hears of them."""

    def __init__(self, policy: EvictionPolicy, flat: bool = False) -> None:
        self.policy = policy
        self.flat = flat
        self.chunks: dict[Key, Chunk] = {}
        self._num_below: Counter[Key] = Counter()
        """Cached chunks directly behind each key, whether it is cached itself or not."""
        self._next_id = 0
        self._broken = ""

    def __len__(self) -> int:
        """Count the cached chunks."""
        return len(self.chunks)

    def insert(self, key: Key, above: Key | None, held: Any, tick: int, pinned: bool) -> None:
        """Add a chunk behind the key `above`; it cannot be evicted while it is pinned."""
        if self.flat:
            above = None
        parent = self.chunks.get(above) if above is not None else None
        chunk = Chunk(self._next_id, key, above, parent, tick, held)
        self._next_id += 1
        self.chunks[key] = chunk
        chunk.num_pins, chunk.num_children = int(pinned), self._num_below[key]
        self._attach(chunk)
        self._tell("on_insert", chunk, tick)
        if chunk.evictable:
            self._tell("on_evictable", chunk)

    def use(self, key: Key, tick: int, hit: bool = False) -> None:
        """Note that a chunk was used."""
        chunk = self.chunks[key]
        if chunk.evictable:
            self._tell("on_protected", chunk)  # as in the tree: in use until the stamp is set
        chunk.tick = tick
        if hit:
            chunk.num_hits += 1
            self._tell("on_hit", chunk, tick)
        if chunk.evictable:
            self._tell("on_evictable", chunk)

    def pin(self, key: Key) -> None:
        """Take a chunk out of the candidates."""
        chunk = self.chunks[key]
        was_evictable = chunk.evictable
        chunk.num_pins += 1
        if was_evictable:
            self._tell("on_protected", chunk)

    def unpin(self, key: Key) -> None:
        """Undo one pin."""
        chunk = self.chunks[key]
        chunk.num_pins -= 1
        if chunk.evictable:
            self._tell("on_evictable", chunk)

    def remove(self, key: Key) -> None:
        """Forget a chunk whose store failed; what follows it stays."""
        self._take(self.chunks[key])

    def evict(self, num: int, protected: Iterable[Key]) -> list[Chunk] | None:
        """Evict exactly `num` unprotected chunks, or return None if there are fewer.

        Raises `BrokenPartError` for a policy that names a wrong victim. Then no chunk is gone.
        """
        if self._broken:
            raise BrokenPartError(f"{self._broken} (out of service since then)")
        shielded = [key for key in protected if key in self.chunks]
        if num > self._num_that_may_go(set(shielded)):
            return None
        for key in shielded:
            self.pin(key)
        gone: list[Chunk] = []
        try:
            while len(gone) < num:
                gone.append(self._victim())
                self._take(gone[-1])
        except BrokenPartError:
            for chunk in reversed(gone):
                self._put_back(chunk)
            raise
        finally:
            for key in shielded:
                self.unpin(key)
        return gone

    def clear(self, policy: EvictionPolicy) -> None:
        """Forget all chunks, and begin with a new policy."""
        self.policy = policy
        self.chunks.clear()
        self._num_below.clear()
        self._broken = ""

    def problems(self) -> list[str]:
        """Compare the counts of children with a recount, for tests."""
        below = Counter(chunk.above for chunk in self.chunks.values())
        return [
            f"chunk {chunk.id} counts {count(chunk.num_children, 'child', 'children')}, "
            f"and has {below[key]}"
            for key, chunk in self.chunks.items()
            if chunk.num_children != below[key]
        ]

    # ---- steps

    def _num_that_may_go(self, protected: set[Key]) -> int:
        """Count the chunks that could go one after the other: nothing pinned follows them."""
        stay = {key for key, chunk in self.chunks.items() if chunk.num_pins or key in protected}
        for key in list(stay):
            above = self.chunks[key].above
            while above in self.chunks and above not in stay:
                stay.add(above)
                above = self.chunks[above].above
        return len(self.chunks) - len(stay)

    def _victim(self) -> Chunk:
        if self._broken:
            raise BrokenPartError(self._broken)
        try:
            node: Any = self.policy.victim()
        except BrokenPartError as error:
            self._broken = str(error)
            raise
        except Exception as error:
            self._fail(raised("victim()", error))
        if type(node) is Chunk and self.chunks.get(node.key) is node and node.evictable:
            return node
        self._fail(f"victim() returned {_described(node, self.chunks)}")

    def _fail(self, what: str) -> NoReturn:
        self._broken = f"policy {getattr(self.policy, 'name', 'yours')}: {what}"
        raise BrokenPartError(self._broken)

    def _take(self, chunk: Chunk) -> None:
        """Remove a chunk; the one before it may be a candidate now."""
        del self.chunks[chunk.key]
        chunk.num_pins += 1
        self._tell("on_remove", chunk)
        if chunk.above is None:
            return
        self._num_below[chunk.above] -= 1
        if not self._num_below[chunk.above]:
            del self._num_below[chunk.above]
        if parent := self.chunks.get(chunk.above):
            parent.num_children -= 1
            if parent.evictable:
                self._tell("on_evictable", parent)

    def _put_back(self, chunk: Chunk) -> None:
        """Restore a chunk that was taken in vain; the broken policy is told nothing any more."""
        chunk.num_pins -= 1
        self.chunks[chunk.key] = chunk
        self._attach(chunk)

    def _attach(self, chunk: Chunk) -> None:
        """Count a chunk below the one before it, which is no longer a candidate."""
        if chunk.above is None:
            return
        self._num_below[chunk.above] += 1
        if parent := self.chunks.get(chunk.above):
            was_evictable = parent.evictable
            parent.num_children += 1
            if was_evictable:
                self._tell("on_protected", parent)

    def _tell(self, hook: str, *facts: Any) -> None:
        if self._broken:
            return
        try:
            getattr(self.policy, hook)(*facts)
        except Exception as error:
            self._broken = f"policy {getattr(self.policy, 'name', 'yours')}: {raised(hook, error)}"


def _described(node: Any, chunks: dict[Key, Chunk]) -> str:
    """Say what is wrong with a victim."""
    if node is None:
        num = sum(chunk.evictable for chunk in chunks.values())
        return f"None, while {count(num, 'chunk')} may go"
    if type(node) is not Chunk:
        return f"{plain_text(node)}, which is not a node"
    if chunks.get(node.key) is not node:
        return f"chunk {node.id}, which is not cached any more"
    if node.num_pins:
        return f"chunk {node.id}, which is in use or protected"
    return f"chunk {node.id}, which comes before {count(node.num_children, 'cached chunk')}"
