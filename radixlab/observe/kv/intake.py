"""What happens to a payload: it is decoded, put in its place by its number, and applied.

Each rank has an order of its own, because each replica of an engine numbers its own payloads. While
payloads are missing, the number of the last change of each block is remembered: so a payload that
comes late changes only what no later one has changed, and the tree ends up as if nothing had been
missing.
"""

from collections import Counter
from collections.abc import Iterator

from radixlab.cache.tokens import TOKEN_BYTES
from radixlab.observe.kv.forest import MAX_STEPS, Forest, Node
from radixlab.observe.kv.order import END, Order
from radixlab.observe.kv.shards import Shard
from radixlab.observe.kv.telling import Telling
from radixlab.observe.kv.wire import (
    Batch,
    Cleared,
    MalformedError,
    Removed,
    Stored,
    WireEvent,
    decode,
)

MAX_TOKENS = 2**26
"""Most tokens of all blocks, whatever the size of a block: 256 MB."""
MAX_SHARDS = 256
"""Most ranks and groups of layers."""
MAX_TOUCHED = 2**17
"""Most blocks that are remembered as changed while payloads are missing."""


class Intake:
    """Applies payloads to a forest."""

    def __init__(self, forest: Forest, telling: Telling, max_bytes: int) -> None:
        self.faults: Counter[str] = Counter()
        self.num_payloads = self.num_events = self.num_restarts = 0
        self.block_size: int | None = None
        self.size_is_fixed = False
        self.shards: dict[tuple[int, int], Shard] = {}
        self.orders: dict[int, Order] = {}
        self._forest = forest
        self._telling = telling
        self._max_bytes = max_bytes
        self._doubtful: dict[int, Batch] = {}
        self._cleared: dict[int, int] = {}

    @property
    def num_blocks(self) -> int:
        """Blocks of all shards, on any medium, orphans included."""
        return self._forest.device.num_used + self._forest.host.num_used

    def of(self, rank: int) -> list[Shard]:
        """Return the shards of a rank."""
        return [shard for (owner, _), shard in self.shards.items() if owner == rank]

    def nodes(self) -> Iterator[Node]:
        """Yield every node, parents first."""
        for shard in self.shards.values():
            yield from shard.nodes()

    def learn(self, block_size: int) -> None:
        """Settle how many tokens a block has."""
        self.block_size = block_size
        self._telling.block_bytes = block_size * TOKEN_BYTES
        for pool in (self._forest.device, self._forest.host):
            pool.limit = min(pool.size, MAX_TOKENS // block_size)

    def feed(self, payload: bytes, seq: int | None = None) -> bool:
        """Take a payload; return whether it was used."""
        if seq is not None and not 0 <= seq < END:
            return self._refuse("bad_number")
        if len(payload) > self._max_bytes:
            return self._refuse("oversize")
        try:
            batch = decode(payload, self._max_bytes)
        except MalformedError:
            return self._refuse("malformed")
        if seq is None:
            self._use(batch, None, late=False)
            return True
        return self._in_order(batch, seq, payload)

    def _refuse(self, why: str) -> bool:
        self.faults[why] += 1
        return False

    def _in_order(self, batch: Batch, seq: int, payload: bytes) -> bool:
        """Use a payload by what its number says."""
        rank = batch.rank
        if rank not in self.orders and len(self.orders) >= MAX_SHARDS:
            return self._refuse("too_many_ranks")
        order = self.orders.setdefault(rank, Order())
        verdict = order.judge(seq, batch.ts, payload)
        held = self._doubtful.pop(rank, None)
        if verdict == "doubtful":
            self._doubtful[rank] = batch
        if verdict in ("duplicate", "doubtful"):
            return self._refuse(verdict)
        if verdict in ("restart", "restart_before"):
            self.num_restarts += 1
            self._clear(rank)
            self._cleared.pop(rank, None)
        if verdict == "restart_before" and held is not None:
            self._use(held, seq - 1 if order.gaps else None, late=False)
        if verdict == "late" and seq < self._cleared.get(rank, -1):
            return self._refuse("void")
        self._use(batch, seq if order.gaps or verdict == "late" else None, verdict == "late")
        self._forget_touched(rank, order)
        return True

    def _forget_touched(self, rank: int, order: Order) -> None:
        """Remember what has changed only while something is missing, and not without limit."""
        shards = self.of(rank)
        if sum(len(shard.touched) for shard in shards) > MAX_TOUCHED:
            order.give_up()
        if not order.gaps:
            for shard in shards:
                shard.touched.clear()
                shard.debts.clear()

    def _use(self, batch: Batch, seq: int | None, late: bool) -> None:
        self.num_payloads += 1
        self._forest.tick += 1
        self._forest.steps_left = MAX_STEPS
        self.faults["unknown_event"] += batch.num_unknown
        for event in batch.events:
            self._apply(event, batch.rank, seq, late)
        everything = list(self.nodes()) if self._telling.must_redraw else None
        self._telling.finish(everything)

    def _apply(self, event: WireEvent, rank: int, seq: int | None, late: bool) -> None:
        self.num_events += 1
        if isinstance(event, Cleared):
            if late and seq is not None:
                for shard in self.of(rank):
                    shard.forget_untouched(seq)
            else:
                self._clear(rank)
            if seq is not None:
                self._cleared[rank] = max(seq, self._cleared.get(rank, 0))
        elif isinstance(event, Removed):
            if known := self.shards.get((rank, event.group_idx or 0)):
                known.remove(event, seq, late)
            else:
                self.faults["unknown_block"] += len(event.block_hashes)
        else:
            self._store(event, rank, seq, late)

    def _store(self, event: Stored, rank: int, seq: int | None, late: bool) -> None:
        num, size = len(event.block_hashes), event.block_size
        only_names = size == 0 and not event.token_ids
        is_whole = len(event.token_ids) == num * size
        has_keys = event.extra_keys is None or len(event.extra_keys) == num
        if not num or not (only_names or (size and is_whole and has_keys)):
            self.faults["unusable_event"] += 1
            return
        if not only_names and not self._fits(size):
            self.faults["block_size"] += 1
            return
        shard = self._shard(rank, event.group_idx or 0)
        if shard is None:
            self.faults["too_many_ranks"] += 1
            return
        if event.kv_cache_spec_kind is not None:
            shard.note_kind(event.kv_cache_spec_kind)
        (shard.store_copies if only_names else shard.store)(event, seq, late)

    def _fits(self, block_size: int) -> bool:
        """Whether blocks have this size; the first ones that are stored say which it is."""
        if block_size != self.block_size and not self.size_is_fixed and not self.num_blocks:
            self.learn(block_size)
        return block_size == self.block_size

    def _shard(self, rank: int, group: int) -> Shard | None:
        if (rank, group) not in self.shards:
            if len(self.shards) >= MAX_SHARDS:
                return None
            parts = [f"{what} {n}" for what, n in (("rank", rank), ("group", group)) if n]
            self.shards[rank, group] = Shard(self._forest, ", ".join(parts), self.faults)
        return self.shards[rank, group]

    def _clear(self, rank: int) -> None:
        """Forget what a rank holds."""
        self._telling.flush()
        for shard in self.of(rank):
            shard.clear()
        if self.num_blocks:  # of other ranks: a reset of all is not what happened
            self._telling.must_redraw = True
        else:
            self._telling.cleared()
