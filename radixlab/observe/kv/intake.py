"""What happens to a payload: it is decoded, put in its place by its number, and applied.

Each publisher has an order of its own, because each replica numbers its own payloads. While
payloads are missing, the number of the last change of each block is remembered: so a payload that
comes late changes only what no later one has changed, and the tree ends up as if nothing had been
missing.
"""

from collections import Counter
from collections.abc import Iterator

from radixlab.cache.tokens import TOKEN_BYTES
from radixlab.observe.kv.forest import MAX_STEPS, Forest, Node
from radixlab.observe.kv.order import END, Order
from radixlab.observe.kv.origins import Origin, names_of
from radixlab.observe.kv.shards import Shard
from radixlab.observe.kv.telling import Telling
from radixlab.observe.kv.trust import Trust
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
"""Most publishers and groups of layers."""
MAX_TOUCHED = 2**17
"""Most blocks that are remembered as changed while payloads are missing."""


class Intake:
    """Applies payloads to a forest."""

    def __init__(self, forest: Forest, telling: Telling, max_bytes: int) -> None:
        self.faults: Counter[str] = Counter()
        self.num_payloads = self.num_events = self.num_restarts = 0
        self.block_size: int | None = None
        self.size_is_fixed = False
        self.shards: dict[tuple[Origin, int], Shard] = {}
        self.orders: dict[Origin, Order] = {}
        self.names: dict[Origin, str] = {}
        self.trust = Trust(telling, self.faults)
        self._forest = forest
        self._telling = telling
        self._max_bytes = max_bytes
        self._doubtful: dict[Origin, Batch] = {}
        self._cleared: dict[Origin, int] = {}

    @property
    def num_blocks(self) -> int:
        """Blocks of all shards, on any medium, orphans included."""
        return self._forest.device.num_used + self._forest.host.num_used

    def of(self, origin: Origin) -> list[Shard]:
        """Return the shards of a publisher."""
        return [shard for (owner, _), shard in self.shards.items() if owner == origin]

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

    def feed(
        self, payload: bytes, seq: int | None = None, source: str = "", is_replay: bool = False
    ) -> bool:
        """Take a payload; return whether it was used."""
        if seq is not None and not 0 <= seq < END:
            return self.refuse("bad_number")
        if len(payload) > self._max_bytes:
            return self.refuse("oversize")
        try:
            batch = decode(payload, self._max_bytes)
        except MalformedError:
            return self.refuse("malformed")
        origin = Origin(source, batch.rank)
        if seq is None:
            self._use(batch, origin, None, late=False)
            self.report()
            return True
        if origin not in self.orders and len(self.orders) >= MAX_SHARDS:
            return self.refuse("too_many_ranks")
        was_used = self._in_order(batch, origin, seq, payload, is_replay)
        self.report(origin)
        return was_used

    def refuse(self, why: str) -> bool:
        """Count what could not be used."""
        self.faults[why] += 1
        self.report()
        return False

    def report(self, origin: Origin | None = None) -> None:
        """Tell what has changed about how far the picture can be trusted."""
        name = self.names.get(origin, "") if origin else ""
        order = self.orders.get(origin) if origin else None
        self.trust.look(origin, order, name, self.num_restarts)

    def restart(self, source: str) -> None:
        """Forget what an endpoint's publishers hold: one that began again has told nothing yet."""
        for origin, order in self.orders.items():
            if origin.source == source and order.next:
                order.begin_again()
                self._restarted(origin)
                self._telling.finish(self._everything())
                self.report(origin)

    def _restarted(self, origin: Origin) -> None:
        self.num_restarts += 1
        self._clear(origin)
        self._cleared.pop(origin, None)

    def _in_order(
        self, batch: Batch, origin: Origin, seq: int, payload: bytes, is_replay: bool
    ) -> bool:
        """Use a payload by what its number says."""
        order = self.orders.setdefault(origin, Order())
        verdict = order.judge(seq, batch.ts, payload, is_replay)
        held = self._doubtful.pop(origin, None)
        if verdict == "doubtful":
            self._doubtful[origin] = batch
        if verdict == "duplicate" and is_replay:  # asked for once more than was needed
            return False
        if verdict in ("duplicate", "doubtful"):
            return self.refuse(verdict)
        if verdict in ("restart", "restart_before"):
            self._restarted(origin)
        if verdict == "restart_before" and held is not None:
            self._use(held, origin, seq - 1 if order.gaps else None, late=False)
        if verdict == "late" and seq < self._cleared.get(origin, -1):
            return self.refuse("void")
        number = seq if order.gaps or verdict == "late" else None
        self._use(batch, origin, number, verdict == "late")
        self._forget_touched(origin, order)
        return True

    def _forget_touched(self, origin: Origin, order: Order) -> None:
        """Remember what has changed only while something is missing, and not without limit."""
        shards = self.of(origin)
        if sum(len(shard.touched) for shard in shards) > MAX_TOUCHED:
            order.give_up()
        if not order.gaps:
            for shard in shards:
                shard.touched.clear()
                shard.debts.clear()

    def _use(self, batch: Batch, origin: Origin, seq: int | None, late: bool) -> None:
        self.num_payloads += 1
        self._forest.tick += 1
        self._forest.steps_left = MAX_STEPS
        self.faults["unknown_event"] += batch.num_unknown
        for event in batch.events:
            self._apply(event, origin, seq, late)
        self._telling.finish(self._everything())

    def _everything(self) -> list[Node] | None:
        """Return the whole tree if it must be told again."""
        return list(self.nodes()) if self._telling.must_redraw else None

    def _apply(self, event: WireEvent, origin: Origin, seq: int | None, late: bool) -> None:
        self.num_events += 1
        if isinstance(event, Cleared):
            if late and seq is not None:
                for shard in self.of(origin):
                    shard.forget_untouched(seq)
            else:
                self._clear(origin)
            if order := self.orders.get(origin):
                order.reset(seq, late)
            if seq is not None:
                self._cleared[origin] = max(seq, self._cleared.get(origin, 0))
        elif isinstance(event, Removed):
            if known := self.shards.get((origin, event.group_idx or 0)):
                known.remove(event, seq, late)
            else:
                self.faults["unknown_block"] += len(event.block_hashes)
        else:
            self._store(event, origin, seq, late)

    def _store(self, event: Stored, origin: Origin, seq: int | None, late: bool) -> None:
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
        shard = self._shard(origin, event.group_idx or 0)
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

    def _shard(self, origin: Origin, group: int) -> Shard | None:
        if (origin, group) not in self.shards:
            if len(self.shards) >= MAX_SHARDS:
                return None
            self.shards[origin, group] = Shard(self._forest, "", self.faults)
            self._name_all()
        return self.shards[origin, group]

    def _name_all(self) -> None:
        """Name the shards so that they are told apart; the tree is drawn again if one changes."""
        self.names = names_of({origin for origin, _ in self.shards})
        groups = {group for _, group in self.shards}
        for (origin, group), shard in self.shards.items():
            which = f"group {group}" if group or len(groups) > 1 else ""
            label = ", ".join(filter(None, (self.names[origin], which)))
            if label != shard.label and shard.rename(label):
                self._telling.flush()
                self._telling.must_redraw = True

    def _clear(self, origin: Origin) -> None:
        """Forget what a publisher holds."""
        self._telling.flush()
        for shard in self.of(origin):
            shard.clear()
        if self.num_blocks:  # of others: a reset of all is not what happened
            self._telling.must_redraw = True
        else:
            self._telling.cleared()
            self.trust.emptied()
