"""`RemoteTree`: the prefix tree of a running engine, rebuilt from the events that it publishes.

    payload ─► decode (wire) ─► its place (order, intake) ─► shards, forest ─► our events (telling)

A router, a monitor or a person sees with it what an engine holds in its cache, without a call to
it. What arrives is not trusted: whatever the bytes, `feed` raises nothing, its memory is bounded,
and what could not be used is counted in `faults`.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from radixlab.cache.checks import check_namespace
from radixlab.cache.results import NodeView, TreeStats
from radixlab.cache.tokens import TOKEN_BYTES, TokensLike, as_int32
from radixlab.config import MAX_BLOCKS, none_or_more, positive, shown
from radixlab.events import Emit, Namespace
from radixlab.observe.kv.errors import KVEventError
from radixlab.observe.kv.forest import Forest, walk
from radixlab.observe.kv.intake import MAX_TOKENS, Intake
from radixlab.observe.kv.origins import Origin
from radixlab.observe.kv.telling import Telling
from radixlab.observe.kv.wire import MAX_BYTES
from radixlab.observe.state import State
from radixlab.observe.watch import node_state

NUM_BLOCKS = 2**18
"""Most blocks by default: 4 million tokens in blocks of 16."""
BLOCK_SIZE = 16
"""Assumed where a picture is taken before any block was stored: vLLM's default."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Payloads that were published and not received; ask a replay for them from `first` on."""

    rank: int
    first: int
    last: int
    source: str = ""
    """The endpoint, where several are watched."""


class RemoteTree:
    """The prefix tree that a stream of KV events describes.

    `num_blocks` and `num_host_blocks` limit the blocks on the device and those only elsewhere;
    views draw pools of these sizes. `emit` hears our own events.

    >>> from radixlab.observe.kv.wire import Stored, encode
    >>> tree = RemoteTree()
    >>> tree.feed(encode(0.0, [Stored([7, 8], None, [1, 2, 3, 4], block_size=2)]), seq=0)
    True
    >>> tree.num_cached_tokens([1, 2, 3, 4, 5]), tree.num_cached_tokens([1, 2, 3, 4])
    (4, 2)
    """

    def __init__(
        self,
        num_blocks: int = NUM_BLOCKS,
        num_host_blocks: int | None = None,
        block_size: int | None = None,
        emit: Emit | None = None,
        max_bytes: int = MAX_BYTES,
    ) -> None:
        self.num_blocks = positive("num_blocks", num_blocks, MAX_BLOCKS)
        host = self.num_blocks if num_host_blocks is None else num_host_blocks
        self.num_host_blocks = none_or_more("num_host_blocks", host, MAX_BLOCKS)
        self._telling = Telling()
        self._telling.has_host = self.num_host_blocks > 0
        self._forest = Forest(self.num_blocks, self.num_host_blocks, self._telling)
        self._intake = Intake(self._forest, self._telling, positive("max_bytes", max_bytes))
        if block_size is not None:
            self._intake.learn(positive("block_size", block_size, MAX_TOKENS))
            self._intake.size_is_fixed = True
        self.emit = emit

    # ---- the listener, as a cache has it

    @property
    def emit(self) -> Emit | None:
        """The listener of our own events, or None."""
        return self._telling.listener

    @emit.setter
    def emit(self, listener: Emit | None) -> None:
        if listener is not None and not callable(listener):
            raise KVEventError(f"emit must be a function of an event, not {shown(listener)}")
        self._telling.listener = listener

    @property
    def next_seq(self) -> int:
        """The number of the next event of ours."""
        return self._telling.log.seq

    def snapshot(self) -> State:
        """Return the tree as the state that our events lead to.

        A state has a block size. If none is known yet, 16 is assumed from now on.
        """
        if self.block_size is None:
            self._intake.learn(BLOCK_SIZE)
        self._intake.size_is_fixed = True
        assert self.block_size is not None
        told = self._telling
        stream: dict[str, Any] = self._intake.trust.told
        return State(
            self.num_blocks,
            self.block_size,
            nodes={view.id: node_state(view) for view in self.walk()},
            evicted_blocks=told.evicted_blocks,
            num_host_blocks=self.num_host_blocks,
            written_back_blocks=told.written_back_blocks,
            loaded_back_blocks=told.loaded_back_blocks,
            dropped_blocks=told.dropped_blocks,
            **stream,
        )

    # ---- in

    def feed(
        self, payload: bytes, seq: int | None = None, source: str = "", is_replay: bool = False
    ) -> bool:
        """Take one msgpack payload, and its number if it is known; return whether it was used.

        Payloads may be missing, late or repeated. One that fills a gap changes only what no later
        one has changed. `source` tells several endpoints apart. A replay is what a publisher has
        now, so another content under a known number means that it began again. Raises
        `KVEventError` only if the arguments are not bytes, a number and a text.
        """
        if not isinstance(payload, bytes | bytearray | memoryview):
            raise KVEventError(f"payload must be bytes, not {shown(payload)}")
        if seq is not None and type(seq) is not int:
            raise KVEventError(f"seq must be an int, not {shown(seq)}")
        if not isinstance(source, str):
            raise KVEventError(f"source must be a text, not {shown(source)}")
        return self._intake.feed(bytes(payload), seq, source, is_replay)

    def refuse(self, kind: str) -> None:
        """Count a message that is not a payload, under this name in `faults`."""
        self._intake.refuse(kind)

    def restart(self, source: str = "") -> None:
        """Forget what an endpoint has told: it began again, and holds nothing."""
        self._intake.restart(source)

    # ---- what is known

    @property
    def block_size(self) -> int | None:
        """Tokens of a block, by the first blocks that were stored; None before."""
        return self._intake.block_size

    @property
    def faults(self) -> Counter[str]:
        """What could not be used, by kind.

        Messages: `odd_frame`. Whole payloads: `oversize`, `malformed`, `bad_number`, `duplicate`,
        `doubtful` (perhaps of a new publisher, or a stray one), `void` (older than a reset),
        `too_many_ranks`. Events:
        `unknown_event`, `unusable_event`, `block_size` (another one). Blocks: `unknown_block`,
        `over_limit`, `second_name` (two hashes for one content), `circle` (each follows the other).
        """
        return +self._intake.faults

    @property
    def stream(self) -> dict[str, int]:
        """What speaks against the picture, by the names of a state's counters."""
        return self._intake.trust.totals(self.num_restarts)

    @property
    def num_payloads(self) -> int:
        """Payloads that were used."""
        return self._intake.num_payloads

    @property
    def num_restarts(self) -> int:
        """How often a publisher began again, so that everything before was void."""
        return self._intake.num_restarts

    def num_cached_tokens(
        self,
        tokens: TokensLike,
        namespace: Namespace | None = None,
        rank: int | None = None,
        medium: str = "",
    ) -> int:
        """Return how many tokens of a prompt the engine need not compute.

        In whole blocks, and at least one token is left to compute. Of several ranks the best one
        counts, unless `rank` names one. `medium` asks for one medium alone, such as "GPU"; by
        default a block counts wherever it is. Raises `TokenError` and `NamespaceError`.
        """
        check_namespace(namespace)
        token_ids = as_int32(tokens)
        if self.block_size is None or len(token_ids) == 0:
            return 0
        step = self.block_size * TOKEN_BYTES
        num_blocks = (len(token_ids) - 1) // self.block_size
        data = token_ids[: num_blocks * self.block_size].tobytes()
        keys = [data[start : start + step] for start in range(0, len(data), step)]
        origins = {origin for origin, _ in self._intake.shards if rank in (None, origin.rank)}
        found = (self._num_cached(origin, keys, namespace, medium) for origin in origins)
        return max(found, default=0) * self.block_size

    def _num_cached(
        self, origin: Origin, keys: list[bytes], namespace: Namespace | None, medium: str
    ) -> int:
        shards = self._intake.of(origin)
        whole = [shard for shard in shards if shard.limits_matches] or shards
        found = (shard.num_cached_blocks(keys, namespace, medium) for shard in whole)
        return min(found, default=0)

    @property
    def num_cached_blocks(self) -> int:
        """Blocks in the tree, on any medium, orphans included."""
        return self._intake.num_blocks

    @property
    def num_orphans(self) -> int:
        """Blocks whose prefix is not known, so that no prompt can find them."""
        tops = (root for shard in self._intake.shards.values() for root in shard.orphans.values())
        return sum(len(node.blocks) for root in tops for node in walk(root))

    @property
    def gaps(self) -> list[Gap]:
        """The payloads that are missing, by rank; a replay may have them."""
        orders = sorted(self._intake.orders.items())
        return [Gap(o.rank, *gap, o.source) for o, order in orders for gap in order.gaps]

    @property
    def num_lost(self) -> int:
        """Payloads that are missing and no longer waited for."""
        return sum(order.num_given_up for order in self._intake.orders.values())

    def give_up(self, gap: Gap) -> None:
        """Wait no longer for the payloads of a gap; they count as lost."""
        origin = Origin(gap.source, gap.rank)
        order = self._intake.orders.get(origin)
        if order is None or not order.give_up_gap(gap.first, gap.last):
            raise KVEventError(f"{gap} is not one of the {len(self.gaps)} gaps")
        self._intake.report(origin)

    def expected(self, rank: int = 0, source: str = "") -> int | None:
        """Return the number that should follow; None if nothing of this rank has arrived."""
        order = self._intake.orders.get(Origin(source, rank))
        return order.next if order else None

    def last_seen(self, source: str = "") -> int:
        """Return the number of the last payload of an endpoint; 0 if there was none."""
        orders = self._intake.orders.items()
        numbers = [order.next or 0 for origin, order in orders if origin.source == source]
        return max(0, min(numbers, default=0) - 1)

    def walk(self) -> Iterator[NodeView]:
        """Yield every node, parents first. Block ids are this tree's own numbers.

        Orphans are below no known parent: they are in a namespace `("orphan of", hash)`.
        """
        size = self._telling.block_bytes
        for node in self._intake.nodes():
            content = b"".join(block.key[:size] for block in node.blocks)
            yield NodeView(
                node.id,
                node.parent.id if node.parent and node.parent.blocks else None,
                node.namespace,
                tuple(memoryview(content).cast("i")),
                tuple(block.id for block in node.blocks),
                lock_ref=0,
                tick=node.tick,
                resident=node.resident,
            )

    def stats(self) -> TreeStats:
        """Count nodes and cached blocks; no engine tells which are in use."""
        return TreeStats(sum(1 for _ in self._intake.nodes()), 0, 0, self._forest.device.num_used)
