"""Dynamo's `RadixTree`, loaded from the wheel of `ai-dynamo-runtime`: a router's index of prefixes.

It answers who holds a prefix, and manages no pool: it has no block ids to hand out, evicts nothing,
locks nothing, and compares hashes instead of tokens. So its row is the cost of a look-up and a
store of the same prefixes, and its hit rate is that of a cache without limit.

Per request: hash the prompt's blocks, look them up, and store what is new of prompt and output as
an event of one worker. The events' parts are made before the clock starts, for a router gets them
as bytes. The tree works in a thread of its own, so the clock is the process's CPU time.
"""

import importlib
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from radixlab.config import CacheConfig
from radixlab.workloads import Request

VERSION = "1.6.1"
WORKER = 0


@dataclass(slots=True)
class Tokens:
    """A request as the router meets it: tokens that come in, and the event that comes back."""

    prompt: list[int]
    block_ids: list[int]
    """An id of each full block's prefix, as an engine's events carry it."""
    blocks: list[bytes]
    """Each full block as it stands in a stored event."""


class Dynamo:
    """One tree, told of one worker."""

    def __init__(self, config: CacheConfig, core: Any) -> None:
        self.page = config.block_size
        self.core = core
        self.tree = core.RadixTree()

    def prepare(self, request: Request) -> Tokens:
        """Make token lists, and the parts of the event; not timed."""
        everything = [*request.prompt.tolist(), *request.output.tolist()]
        full = len(everything) // self.page * self.page
        hashes = self.core.compute_block_hash_for_seq(everything[:full], self.page)
        ids, prefix = [], 0
        for number in hashes:
            prefix = hash((prefix, number)) & 0x7FFF_FFFF_FFFF_FFFF
            ids.append(prefix)
        blocks = [
            b'{"block_hash":%d,"tokens_hash":%d}' % pair for pair in zip(ids, hashes, strict=True)
        ]
        return Tokens(everything[: len(request.prompt)], ids, blocks)

    def serve(self, tokens: Tokens) -> int:
        """Look the prompt up and store what is new; return its hit tokens."""
        usable = (len(tokens.prompt) - 1) // self.page * self.page
        hashes = self.core.compute_block_hash_for_seq(tokens.prompt[:usable], self.page)
        scores = self.tree.find_matches(hashes).scores
        found: int = next(iter(scores.values()), 0)
        if new := tokens.blocks[found:]:
            parent = b"%d" % tokens.block_ids[found - 1] if found else b"null"
            self.tree.apply_event(
                WORKER,
                b'{"event_id":0,"data":{"stored":{"parent_hash":%s,"blocks":[%s]}},"dp_rank":0}'
                % (parent, b",".join(new)),
            )
        return found * self.page


def load_tree(folder: Path) -> Callable[[CacheConfig], Dynamo]:
    """Load the extension module; it needs none of the wheel's own requirements."""
    if str(folder) not in sys.path:
        sys.path.append(str(folder))
    core = importlib.import_module("dynamo._core")
    return lambda config: Dynamo(config, core)


CACHES = ((f"Dynamo {VERSION} RadixTree (index only)", "ai_dynamo_runtime", VERSION, load_tree),)
