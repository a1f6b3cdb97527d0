"""A node of our tree as the publisher remembers it: digests and tokens of its blocks.

An event of ours names a node; a KV event names its blocks, their tokens and what they follow.
"""

from array import array
from dataclasses import dataclass, field

from radixlab.events import Namespace
from radixlab.observe.kv.hashes import ADAPTER, extra_keys_of, published, seed
from radixlab.observe.kv.wire import CPU, GPU, Stored


class UnknownNodeError(Exception):
    """An event about a node, a sequence or tokens that no earlier event told of."""


@dataclass(slots=True)
class Node:
    """A node of our tree: its blocks' digests and tokens, in order."""

    parent: "Node | None"
    namespace: Namespace | None
    digests: list[bytes] = field(default_factory=list)
    blocks: list[bytes] = field(default_factory=list)
    children: set[int] = field(default_factory=set)
    resident: bool = True

    @property
    def medium(self) -> str:
        """Where its blocks are."""
        return GPU if self.resident else CPU

    def last_digest(self) -> bytes:
        """Return the digest that the next block follows."""
        return self.digests[-1] if self.digests else seed(self.namespace)

    def told(self, block_size: int, start: int = 0, stop: int | None = None) -> Stored:
        """Return the event for some of the blocks, on the medium that has the node."""
        assert self.parent is not None
        above = self.digests[start - 1 : start] or self.parent.digests[-1:]
        tokens = array("i", b"".join(self.blocks[start:stop])).tolist()
        digests, namespace = self.digests[start:stop], self.namespace
        return Stored(
            list(map(published, digests)),
            published(above[0]) if above else None,
            tokens,
            block_size,
            medium=self.medium,
            lora_name=namespace[1] if namespace and namespace[0] == ADAPTER else None,
            extra_keys=extra_keys_of(namespace, len(digests), at_start=not above),
        )

    def take_tail(self, num: int) -> tuple[list[bytes], list[bytes]]:
        """Take the last blocks off; return their digests and tokens."""
        if not 0 < num <= len(self.digests):
            raise UnknownNodeError(f"{num} blocks of a node that has {len(self.digests)}")
        keep = len(self.digests) - num
        digests, blocks = self.digests[keep:], self.blocks[keep:]
        del self.digests[keep:], self.blocks[keep:]
        return digests, blocks
