"""A running request, as the cache knows it."""

from collections.abc import Sequence as Many
from typing import Any

import numpy as np

from radixlab.cache.checks import check_count
from radixlab.cache.errors import CountError, SequenceError
from radixlab.cache.node import Node, Receipt
from radixlab.cache.results import BlockIds, Transfer
from radixlab.cache.tokens import INT32, TokenArray, Tokens
from radixlab.config import MAX_BLOCK_SIZE, Count
from radixlab.events import MissReason, Namespace


class Sequence:
    """The tokens of one request and the blocks that hold their KV.

    Regions of `block_table`, int32 `[num_blocks]`:

    - `[0, node.end)` blocks of the tree, protected by this sequence's lock on `node`
    - `[node.end, num_blocks)` private blocks, written or not, in no other table unless forked

    Only the second region may be changed in the same memory: nodes of the tree are views of the
    first.
    """

    __slots__ = (
        "block_table",
        "copies",
        "evicted_tick",
        "hit_tokens",
        "host_hit_tokens",
        "id",
        "miss_reason",
        "namespace",
        "priority",
        "receipt",
        "resumed",
        "running",
        "tokens",
    )

    id: int
    tokens: Tokens
    namespace: Namespace | None
    priority: int
    """The priority that its prefix keeps when it ends, for the policy of that name."""
    resumed: bool
    """Whether its request ran before, and was preempted."""
    hit_tokens: int
    """Prompt tokens whose KV was found in the cache."""
    host_hit_tokens: int
    """Those of them that were on the host and must be loaded back."""
    copies: Many[Transfer]
    """Transfers to run, in this order, before KV of this sequence is read or written."""
    block_table: BlockIds
    receipt: Receipt
    """The lock on the cached prefix; `node` is the locked node."""
    running: "dict[int, Sequence] | None"
    """The running sequences of its cache, if it is one of them; None once it has ended."""
    miss_reason: MissReason | None
    """Why the rest of the prompt was not cached; None if only a partial last block is missing."""
    evicted_tick: int | None
    """When the first missing block was evicted, if that is the reason."""

    def __init__(self, id: int, tokens: Tokens, namespace: Namespace | None) -> None:
        self.id = id
        self.tokens = tokens
        self.namespace = namespace
        self.priority = self.hit_tokens = self.host_hit_tokens = 0
        self.resumed = False
        self.copies = []
        self.running = None
        self.miss_reason = None
        self.evicted_tick = None

    @property
    def node(self) -> Node:
        """The locked node: it and all above it are protected while this sequence runs."""
        node: Node = self.receipt.node
        return node

    @property
    def num_tokens(self) -> int:
        """Prompt and appended tokens."""
        return self.tokens.num_tokens

    @property
    def token_ids(self) -> TokenArray:
        """All token ids, int32 `[num_tokens]`, without a copy."""
        return self.tokens.token_ids

    def slots(self, start: Count, end: Count, block_size: Count) -> BlockIds:
        """Return the slots of positions [start, end), `[n]`: `block_id * block_size + offset`.

        They are int32, or int64 if one exceeds int32. Raises `SequenceError` for positions beyond
        the blocks of the table.
        """
        start, end = check_count("start", start), check_count("end", end)
        block_size = check_count("block_size", block_size, least=1)
        if block_size > MAX_BLOCK_SIZE:
            raise CountError(f"block_size must be at most {MAX_BLOCK_SIZE}, not {block_size}")
        num_positions = len(self.block_table) * block_size
        if not 0 <= start <= end <= num_positions:
            raise SequenceError(
                f"sequence {self.id} has no positions [{start}, {end}): "
                f"its block table has {num_positions}"
            )
        block, offset = np.divmod(np.arange(start, end, dtype=np.int64), block_size)
        slots: Any = self.block_table[block].astype(np.int64) * block_size + offset
        narrow: BlockIds = slots if slots.max(initial=0) > INT32.max else slots.astype(np.int32)
        return narrow

    def __reduce_ex__(self, protocol: Any) -> Any:
        # `copy` and `pickle` come here: a copy would free the blocks of one request twice.
        raise SequenceError(f"sequence {self.id} stands for one request: it cannot be copied")

    def __repr__(self) -> str:
        return f"Sequence({self.id}: {self.num_tokens} tokens, {self.hit_tokens} of them cached)"
