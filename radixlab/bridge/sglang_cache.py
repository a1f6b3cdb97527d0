"""Our tree, or a learner's, behind SGLang's `BasePrefixCache` (written for SGLang 0.5.23).

SGLang's scheduler matches a request's prompt, locks the prefix, evicts until there is room, and
lets the request *checkpoint* what it has computed: after each chunk of its prompt, and at the end.
This class translates slots to blocks and back, and frees the duplicates that an insertion shows.
What is cached, locked and evicted is decided behind `Pages`.

This file needs SGLang. Nothing imports it but the plugin's factory.
"""

import time
from typing import Any

import numpy as np
import torch
from sglang.srt.mem_cache.base_prefix_cache import (
    BasePrefixCache,
    DecLockRefResult,
    EvictResult,
    IncLockRefResult,
    InsertParams,
    InsertResult,
    MatchPrefixParams,
    MatchResult,
)
from sglang.srt.mem_cache.radix_cache import RadixKey

from radixlab.bridge.pages import Offer, Pages, PageTokens, Prefix
from radixlab.bridge.slots import namespace_of, to_block_ids, to_slots
from radixlab.bridge.visit_order import visit_order
from radixlab.cache.found import NO_BLOCKS


class RadixlabCache(BasePrefixCache):  # type: ignore[misc]  # SGLang may not be installed
    """SGLang's prefix cache over any `Pages`. Its node handles are our `Prefix`."""

    disable = False
    sliding_window_size = None

    def __init__(self, params: Any, pages: Pages) -> None:
        """Take SGLang's `CacheInitParams` and a tree with blocks of its page size."""
        self.pages = pages
        self.page_size: int = params.page_size
        self.req_to_token_pool = params.req_to_token_pool
        self.token_to_kv_pool_allocator = params.token_to_kv_pool_allocator
        self.device = torch.device(self.token_to_kv_pool_allocator.device)
        self.root_node = Prefix(None, NO_BLOCKS)
        if params.enable_metrics:
            self.init_metrics_collector()

    # ---- the calls of the scheduler

    def reset(self) -> None:
        """Forget the tree; SGLang clears its pool beside this. Raises while a prefix is locked."""
        self.pages.clear()

    def match_prefix(self, params: MatchPrefixParams) -> MatchResult:
        """Find the longest cached prefix, in whole pages."""
        key = params.key
        prefix = self.pages.match(_tokens(key), namespace_of(key.extra_key, key.cache_salt))
        node = prefix if len(prefix) else self.root_node
        return MatchResult(len(prefix) * self.page_size, node, node, node)

    def touch_prefix(self, key: RadixKey) -> None:
        """Stamp a waiting request's prefix as used."""
        self.match_prefix(MatchPrefixParams(key=key))

    def insert(self, params: InsertParams) -> InsertResult:
        """Store the slots of whole pages; the caller frees its copies below `prefix_len`."""
        key = params.key
        slots = params.value[: len(key)].cpu().numpy()
        offer = Offer(
            _tokens(key),
            to_block_ids(slots, self.page_size),
            namespace_of(key.extra_key, key.cache_salt),
            num_counted_blocks=params.inserted_len // self.page_size,
            priority=params.priority or 0,
        )
        prefix, num_cached = self.pages.insert(offer)
        node = prefix if len(prefix) else self.root_node
        return InsertResult(prefix_len=num_cached * self.page_size, last_device_node=node)

    def checkpoint(self, req: Any, *, up_to: int) -> None:
        """Store what a request has computed, and let its row point to the tree's blocks.

        The prompt ends a node of its own, so that an answer can be evicted without its prompt.
        """
        tokens, kv = req.full_untruncated_fill_ids[:up_to], req.kv
        row = self.req_to_token_pool.req_to_token[kv.req_pool_idx, :up_to]
        whole = up_to // self.page_size * self.page_size
        cached = self._store(req, tokens[:whole], row, kv.cache_inserted_len, req.priority or 0)
        kv.cache_inserted_len = max(kv.cache_inserted_len, whole)
        prompt = len(req.origin_input_ids) // self.page_size * self.page_size
        if 0 < prompt < whole:
            self._store(req, tokens[:prompt], row, prompt, (req.priority or 0) + 1)
        duplicates = row[kv.cache_protected_len : cached].to(torch.int64, copy=True)
        allocator = self.token_to_kv_pool_allocator
        allocator.free_segment(duplicates, start_pos=kv.cache_protected_len)
        self._anchor(req, self._key(req, tokens[:whole]))

    def evict(self, params: Any) -> EvictResult:
        """Evict at least `num_tokens` tokens, or all there are, and free their pages."""
        start, num_tokens = time.perf_counter(), 0
        for block_ids in self.pages.evict(-(-params.num_tokens // self.page_size)):
            slots = self._to_device(to_slots(block_ids, self.page_size))
            self.token_to_kv_pool_allocator.free_segment(slots, start_pos=0)
            num_tokens += len(slots)
        self.update_eviction_metrics(num_tokens, start)
        return EvictResult(num_tokens_evicted=num_tokens)

    def inc_lock_ref(self, node: Prefix) -> IncLockRefResult:
        """Protect a prefix once more; `delta` is the change of the evictable tokens."""
        before = self.evictable_size()
        self.pages.lock(node)
        return IncLockRefResult(delta=self.evictable_size() - before)

    def dec_lock_ref(self, node: Prefix, params: Any = None) -> DecLockRefResult:
        """Undo one lock of a prefix; raise if no lock is left."""
        before = self.evictable_size()
        self.pages.unlock(node)
        return DecLockRefResult(delta=self.evictable_size() - before)

    # ---- what the scheduler reads

    def path_device_indices(self, node: Prefix) -> torch.Tensor:
        """Return the slots of a prefix, int64, on the device."""
        return self._to_device(to_slots(node.block_ids, self.page_size))

    def root_node_handle(self, extra_key: str | None = None) -> Prefix:
        """Return the empty prefix, which belongs to every namespace."""
        return self.root_node

    def dfs_weight_order(self, node_handles: Any) -> list[int]:
        """Return request indices for the `dfs-weight` policy."""
        return visit_order([prefix.block_ids.tolist() for prefix in node_handles])

    def evictable_size(self) -> int:
        """Tokens that no lock protects."""
        return self.pages.num_evictable_blocks * self.page_size

    def protected_size(self) -> int:
        """Tokens that a lock protects."""
        return (self.pages.num_blocks - self.pages.num_evictable_blocks) * self.page_size

    def full_evictable_size(self) -> int:
        """Tokens that no lock protects; there is only full attention."""
        return self.evictable_size()

    def full_protected_size(self) -> int:
        """Tokens that a lock protects; there is only full attention."""
        return self.protected_size()

    def total_size(self) -> int:
        """Tokens in the tree."""
        return self.pages.num_blocks * self.page_size

    def all_values_flatten(self) -> torch.Tensor:
        """Return all slots of the tree."""
        return self._to_device(to_slots(self.pages.cached(), self.page_size))

    def pretty_print(self) -> None:
        """Print a line per node; SGLang does this before it gives up for want of memory."""
        print(*self.pages.draw(), f"#tokens: {self.total_size()}", sep="\n")

    def sanity_check(self) -> None:
        """Raise if an invariant of the tree is broken."""
        self.pages.check()

    # ---- steps

    def _store(self, req: Any, tokens: Any, row: Any, inserted_len: int, priority: int) -> int:
        """Insert tokens with the slots of the row; return how many tokens the tree had."""
        key = self._key(req, tokens)
        params = InsertParams(key=key, value=row, inserted_len=inserted_len, priority=priority)
        return int(self.insert(params).prefix_len)

    def _anchor(self, req: Any, key: RadixKey) -> None:
        """Let the request hold all that it stored, and read the tree's slots into its row."""
        node, kv = self.match_prefix(MatchPrefixParams(key=key)).last_device_node, req.kv
        slots = self.path_device_indices(node)
        assert len(slots) == len(key), (
            f"only {len(slots)} of the {len(key)} just stored tokens are found"
        )
        written = slice(kv.cache_protected_len, len(slots))
        self.req_to_token_pool.write((kv.req_pool_idx, written), slots[written])
        kv.cache_protected_len = len(slots)
        self.unlock(req.lock)
        req.lock = self.lock(node)
        req.last_node = node

    def _key(self, req: Any, tokens: Any) -> RadixKey:
        return RadixKey(tokens, req.extra_key, cache_salt=req.cache_salt)

    def _to_device(self, slots: Any) -> torch.Tensor:
        return torch.from_numpy(slots).to(self.device)


def _tokens(key: RadixKey) -> PageTokens:
    return np.frombuffer(key.raw_token_ids(), np.int64)
