"""SGLang's two prefix caches, loaded from its wheel: `RadixCache`, and the default unified tree.

Tokens are an `array("q")`, SGLang's own type, made before the clock starts. Per request: match,
lock, read the block table off the path, evict what is missing, allocate, insert prompt and output,
free duplicates and the partial page, unlock. Pages come from `alloc`: the engine's `alloc_extend`
is a GPU kernel, and its stand-in for the CPU is several times as slow.
"""

import importlib
import os
from array import array
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.peers.stubs import make_importable
from radixlab.config import CacheConfig
from radixlab.workloads import Request

VERSION = "0.5.23"
REAL = (
    "sglang.srt.environ",
    "sglang.srt.mem_cache",
    "sglang.srt.runtime_context",
    "sglang.srt.rust_extensions",
    "sglang.srt.session",
    "sglang.srt.utils",
)


@dataclass(slots=True)
class Tokens:
    """A request as SGLang keeps it."""

    prompt: Any
    everything: Any


class SGLang:
    """What both caches share: the allocator, and the life of a request."""

    def __init__(self, config: CacheConfig, tree: Any, allocator: Any, modules: "Modules") -> None:
        self.page = config.block_size
        self.tree = tree
        self.allocator = allocator
        self.m = modules

    def prepare(self, request: Request) -> Tokens:
        """Convert to SGLang's token type; not timed."""
        everything = np.concatenate((request.prompt, request.output)).astype(np.int64)
        prompt = everything[: len(request.prompt)]
        return Tokens(array("q", prompt.tobytes()), array("q", everything.tobytes()))

    def serve(self, tokens: Tokens) -> int:
        """Take one request through its life; return its hit tokens."""
        m, tree, allocator, page = self.m, self.tree, self.allocator, self.page
        key = m.RadixKey(tokens.prompt, limit=len(tokens.prompt) - 1)
        match = tree.match_prefix(m.MatchPrefixParams(key=key))
        hit: int = match.device_prefix_len
        lock = tree.lock(match.last_device_node)
        cached = tree.path_device_indices(match.last_device_node)
        num_tokens = len(tokens.everything)
        num_new = -(-num_tokens // page) * page - hit
        missing = num_new - allocator.available_size()
        if missing > 0:
            tree.evict(m.EvictParams(num_tokens=missing))
        row = m.cat((cached, allocator.alloc(num_new)))
        full = num_tokens // page * page
        self.insert(m.RadixKey(tokens.everything, limit=full), row[:full], hit)
        if full < num_tokens:
            allocator.free_segment(row[full:], start_pos=full)
        tree.unlock(lock)
        return hit

    def insert(self, key: Any, row: Any, hit: int) -> None:
        """Insert, then free the request's copies of what the tree had already."""
        result = self.tree.insert(self.m.InsertParams(key=key, value=row))
        self.allocator.free_segment(row[hit : result.prefix_len], start_pos=hit)


class Unified(SGLang):
    """The unified tree frees duplicates itself: all after `prev_prefix_len`."""

    def insert(self, key: Any, row: Any, hit: int) -> None:
        """Insert; the tree frees the request's copies of what it had already."""
        self.tree.insert(self.m.InsertParams(key=key, value=row, prev_prefix_len=hit))


class Modules:
    """SGLang's own names, once they could be imported."""

    def __init__(self, folder: Path) -> None:
        os.environ.setdefault("SGLANG_RUST_BUILD_MODE", "never")  # the wheel's own extension
        import torch

        torch.set_num_threads(1)  # one thread, so that thread CPU time sees all of it
        make_importable(folder, REAL)
        base = importlib.import_module("sglang.srt.mem_cache.base_prefix_cache")
        params = importlib.import_module("sglang.srt.mem_cache.cache_init_params")
        paged = importlib.import_module("sglang.srt.mem_cache.allocator.paged")
        radix = importlib.import_module("sglang.srt.mem_cache.radix_cache")
        self.cat, self.int64 = torch.cat, torch.int64
        self.Allocator = paged.PagedTokenToKVPoolAllocator
        self.CacheInitParams = params.CacheInitParams
        self.RadixCache, self.RadixKey = radix.RadixCache, radix.RadixKey
        self.MatchPrefixParams, self.EvictParams = base.MatchPrefixParams, base.EvictParams
        self.InsertParams = base.InsertParams

    def pool(self, config: CacheConfig, **more: Any) -> tuple[Any, Any]:
        """Make an allocator of the pool's pages, and the parameters of a cache over it."""
        num_tokens, page = config.num_blocks * config.block_size, config.block_size
        allocator = self.Allocator(num_tokens, page, self.int64, "cpu", None, need_sort=False)
        params = self.CacheInitParams(
            disable=False,
            req_to_token_pool=None,
            token_to_kv_pool_allocator=allocator,
            page_size=page,
            **more,
        )
        return allocator, params


@cache
def _modules(folder: Path) -> Modules:
    return Modules(folder)


def load_radix_cache(folder: Path) -> Callable[[CacheConfig], SGLang]:
    """Load `RadixCache`, the tree in Python."""
    modules = _modules(folder)

    def make(config: CacheConfig) -> SGLang:
        allocator, params = modules.pool(config)
        return SGLang(config, modules.RadixCache(params), allocator, modules)

    return make


def load_unified(folder: Path) -> Callable[[CacheConfig], SGLang]:
    """Load the default cache; raises `ImportError` if it would fall back to its Python core."""
    modules = _modules(folder)
    unified = importlib.import_module("sglang.srt.mem_cache.unified_radix_cache")

    def make(config: CacheConfig) -> SGLang:
        components = (unified.ComponentType.FULL,)
        allocator, params = modules.pool(config, tree_components=components)
        return Unified(config, unified.UnifiedRadixCache(params), allocator, modules)

    core = type(make(CacheConfig(num_blocks=1)).tree.tree_core).__name__
    if core != "RustUnifiedTreeCore":
        raise ImportError(f"the Rust core is not used here, but {core}")
    return make


CACHES = (
    (f"SGLang {VERSION} RadixCache", "sglang", VERSION, load_radix_cache),
    (f"SGLang {VERSION} default (Rust core)", "sglang", VERSION, load_unified),
)
