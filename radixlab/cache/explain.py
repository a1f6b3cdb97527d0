"""Why a prompt missed: the question no production engine answers.

It is off by default, because it keeps a digest of every evicted block. Lessons switch it on by
`CacheConfig(explain=True)`.
"""

from hashlib import blake2b

from radixlab.cache.found import Found
from radixlab.cache.node import Node
from radixlab.cache.results import BlockIds
from radixlab.cache.stats import Counts
from radixlab.cache.tokens import TOKEN_BYTES, Tokens
from radixlab.cache.tree import RadixTree
from radixlab.events import MissReason, Namespace


class EvictionMemory:
    """Remembers which prefixes were evicted and when: the last `num_blocks` of them.

    A prefix of whole blocks is remembered by a 16-byte digest of all its tokens and its namespace.
    A collision could only give a wrong explanation, never wrong KV.
    """

    def __init__(self, tree: RadixTree, num_blocks: int, counts: Counts) -> None:
        self._tree = tree
        self._counts = counts
        self._capacity = num_blocks
        self._block_bytes = tree.block_bytes
        self._ticks: dict[bytes, int] = {}
        self._last: tuple[tuple[int, int, int] | None, list[bytes]] = (None, [])
        """The last trimmed leaf (id, first block, blocks left), and its digests."""

    def evict(self, leaf: Node, num_blocks: int) -> BlockIds:
        """Take blocks off the tail of an unlocked leaf, and remember them."""
        self.remember(leaf, num_blocks)
        return self._tree.take_tail(leaf, num_blocks)

    def remember(self, leaf: Node, num_blocks: int) -> None:
        """Record that the last `num_blocks` blocks of a leaf are evicted."""
        keep = leaf.num_blocks - num_blocks
        digests = self._digests(leaf)
        for digest in digests[keep:]:
            self._ticks.pop(digest, None)  # to the end of the line
            self._ticks[digest] = self._counts.tick
        self._last = ((leaf.id, leaf.end - leaf.num_blocks, keep), digests[:keep])
        while len(self._ticks) > self._capacity:
            del self._ticks[next(iter(self._ticks))]

    def _digests(self, leaf: Node) -> list[bytes]:
        """Return the digest of the prefix that ends with each block of a leaf.

        Usually a leaf is trimmed further from where the last call stopped; then the digests are
        known.
        """
        known, digests = self._last
        if known == (leaf.id, leaf.end - leaf.num_blocks, leaf.num_blocks):
            return digests
        digest = blake2b(repr(leaf.namespace).encode(), digest_size=16)
        for node in reversed(leaf.path()[1:]):
            digest.update(node.edge)
        digests = []
        for first in range(0, len(leaf.edge), self._block_bytes):
            digest.update(leaf.edge[first : first + self._block_bytes])
            digests.append(digest.copy().digest())
        return digests

    def evicted_at(
        self, tokens: Tokens, num_blocks: int, namespace: Namespace | None
    ) -> int | None:
        """Return the tick at which the prefix of `num_blocks` blocks was evicted, if known."""
        digest = blake2b(repr(namespace).encode(), digest_size=16)
        digest.update(tokens.view[: num_blocks * self._block_bytes])
        return self._ticks.get(digest.digest())

    def clear(self) -> None:
        """Forget everything."""
        self._ticks.clear()
        self._last = (None, [])


def miss_reason(
    tree: RadixTree,
    tokens: Tokens,
    found: Found,
    namespace: Namespace | None,
    memory: EvictionMemory | None,
) -> tuple[MissReason | None, int | None]:
    """Return why the first block after the match was not used, and when it was evicted, if it was.

    The reasons are tried in this order: only a partial tail is missing; the block is cached, but
    one token must be left to compute; it was evicted; another namespace has it; only its first
    tokens agree with a cached block; it was never stored. Without a memory of evictions, the last
    four reasons become one, `not_cached`.
    """
    missing = found.num_blocks  # index of the first missing block
    if missing == tokens.num_tokens // tree.block_size:
        return None, None
    if (missing + 1) * tree.block_size == tokens.num_tokens and tree.find(
        tokens, missing + 1, namespace
    ).num_blocks > missing:
        return "last_token_rule", None
    if memory is None:
        return "not_cached", None
    if (tick := memory.evicted_at(tokens, missing + 1, namespace)) is not None:
        return "evicted", tick
    others = [other for other in tree.roots if other != namespace]
    if any(tree.find(tokens, missing + 1, other).num_blocks > missing for other in others):
        return "namespace", None
    return ("below_block" if _shares_a_token(tree, tokens, found) else "never_seen"), None


def _shares_a_token(tree: RadixTree, tokens: Tokens, found: Found) -> bool:
    """Whether a cached block after the match begins with the same token."""
    start = found.num_blocks * tree.block_size * TOKEN_BYTES
    token = bytes(tokens.view[start : start + TOKEN_BYTES])
    if found.child is not None and found.child_blocks < found.child.num_blocks:
        edge_at = found.child_blocks * tree.block_size * TOKEN_BYTES
        return bytes(found.child.edge[edge_at : edge_at + TOKEN_BYTES]) == token
    return any(key.startswith(token) for key in (found.child or found.node).children)
