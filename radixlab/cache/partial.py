"""Reuse inside a block: where a prompt leaves the tree in the middle of a block.

The tree shares whole blocks. But the first k tokens of the next block may still agree with a cached
one, and their KV with it: copy that block, and k tokens fewer must be computed. The copy moves a
whole block of bytes, so whether it pays depends on k; `CacheConfig.partial_reuse_tokens` is the
least k for which it is done. (vLLM does this; SGLang and nano-vllm compute the block again.)
"""

from dataclasses import dataclass
from operator import attrgetter

import numpy as np

from radixlab.cache.node import Node
from radixlab.cache.tokens import Tokens


@dataclass(frozen=True, slots=True)
class PartialHit:
    """The first `num_tokens` tokens of `node`'s first block continue the match."""

    node: Node
    num_tokens: int


def partial_hit(node: Node, tokens: Tokens, block_size: int) -> PartialHit | None:
    """Find the child of `node` whose first block agrees longest with `tokens` after the match.

    At least one token is left to compute. O(children): a prompt may leave anywhere.
    """
    start = node.end * block_size
    wanted = tokens.token_ids[start : min(start + block_size, tokens.num_tokens - 1)]
    best, longest = None, 0
    for child in filter(attrgetter("resident"), node.children.values()):
        differ = np.flatnonzero(child.tokens[: len(wanted)] != wanted)
        agree = int(differ[0]) if len(differ) else len(wanted)
        if agree > longest:
            best, longest = child, agree
    return PartialHit(best, longest) if best else None
