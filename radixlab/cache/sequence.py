"""A running request, as the cache knows it."""

import numpy as np

from radixlab.cache.node import Node
from radixlab.cache.protocols import BlockIds, Receipt, Transfer
from radixlab.cache.tokens import TokenArray, Tokens
from radixlab.events import MissReason, Namespace


class Sequence:
    """The tokens of one request and the blocks that hold their KV.

    Regions of `block_table`, int32 `[num_blocks]`:

    - `[0, node.end)` blocks of the tree, protected by this sequence's lock on `node`
    - `[node.end, num_blocks)` private: written or yet to be, in no other table unless forked
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
        "tokens",
    )

    block_table: BlockIds
    receipt: Receipt
    """The lock on the cached prefix; where it holds is `node`."""
    miss_reason: MissReason | None
    """Why the rest of the prompt was not found; None if only a partial last block is missing."""
    evicted_tick: int | None
    """When the first missing block was evicted, if that is the reason."""

    def __init__(self, id: int, tokens: Tokens, namespace: Namespace | None) -> None:
        self.id = id
        self.tokens = tokens
        self.namespace = namespace
        self.priority = 0
        """What its prefix keeps when it ends, for the policy of that name."""
        self.resumed = False
        """Whether its request ran before, and was preempted."""
        self.hit_tokens = 0
        """Prompt tokens whose KV was found in the cache."""
        self.host_hit_tokens = 0
        """Those of them that were on the host, so that their KV has to be loaded back."""
        self.copies: list[Transfer] = []
        """Transfers to run, in this order, before KV of this sequence is read or written."""
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

    def slots(self, start: int, end: int, block_size: int) -> BlockIds:
        """Where positions [start, end) live: `block_id * block_size + offset`, int32 `[n]`."""
        block, offset = np.divmod(np.arange(start, end, dtype=np.int32), np.int32(block_size))
        return self.block_table[block] * np.int32(block_size) + offset

    def __repr__(self) -> str:
        return f"Sequence({self.id}: {self.num_tokens} tokens, {self.hit_tokens} of them cached)"
