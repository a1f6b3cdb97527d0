"""SGLang's own requests over a prefix cache of choice: theirs, ours, or a learner's.

What is real, loaded unmodified from the wheel of SGLang 0.5.23: the request (`Req`), its pool of
rows, the allocators of slots and pages, and the functions that its scheduler calls to match, lock,
allocate, checkpoint and release. What is not there is the scheduler's loop, the model and the GPU:
`Serving` decides which request does what next, and no KV is written.
"""

import importlib
import os
from array import array
from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from benchmarks.peers.sglang_peer import REAL, VERSION
from benchmarks.peers.stubs import make_importable

MORE = (
    "sglang.srt.dllm.mixin.req",
    "sglang.srt.managers.schedule_batch",
    "sglang.srt.managers.schedule_policy",
    "sglang.srt.plugins",
    "sglang.srt.sampling.sampling_params",
)
MAX_LEN, MAX_REQUESTS = 512, 64


class Modules:
    """SGLang's own names, once they could be imported."""

    def __init__(self, folder: Path) -> None:
        os.environ.setdefault("SGLANG_RUST_BUILD_MODE", "never")
        import torch

        torch.set_num_threads(1)
        make_importable(folder, (*REAL, *MORE))
        self.torch = torch
        self.batch = _srt("managers.schedule_batch")
        self.schedule = _srt("managers.schedule_policy")
        self.sampling = _srt("sampling.sampling_params")
        self.common = _srt("mem_cache.common")
        self.allocation = _srt("mem_cache.allocation")
        # Two questions to the machine, answered as on one without a GPU.
        self.allocation.is_pin_memory_available = lambda *_: False
        self.allocation.attention_backends = lambda: ("torch_native", "torch_native")
        self.memory = _srt("mem_cache.memory_pool")
        self.registry = _srt("mem_cache.registry")
        self.params = _srt("mem_cache.cache_init_params")
        self.radix = _srt("mem_cache.radix_cache")
        self.base = _srt("mem_cache.base_prefix_cache")
        self.settings = default_settings()
        _srt("runtime_context").get_context()._config_bags = self.settings
        self.paged = _srt("mem_cache.allocator.paged").PagedTokenToKVPoolAllocator
        self.token = _srt("mem_cache.allocator.token").TokenToKVPoolAllocator


def _srt(name: str) -> Any:
    return importlib.import_module(f"sglang.srt.{name}")


def default_settings() -> dict[str, Any]:
    """Return the settings of a server without flags that SGLang's functions ask for here."""
    memory = {"radix_cache_backend": None, "enable_hierarchical_cache": False}
    memory |= {"enable_session_radix_cache": False, "radix_eviction_policy": "lru"}
    serving = {"strip_thinking_cache": False, "enable_streaming_session": False}
    return {
        "memory": SimpleNamespace(**memory),
        "serving": SimpleNamespace(**serving),
        "spec": SimpleNamespace(speculative_algorithm=None),
    }


@cache
def load(folder: Path) -> Modules:
    """Load them once; raise `FileNotFoundError` if the wheel is not unpacked in `folder`."""
    if not (folder / f"sglang-{VERSION}.dist-info").is_dir():
        raise FileNotFoundError(f"the wheel sglang {VERSION} is not unpacked in {folder}")
    return Modules(folder)


def their_cache(modules: Modules) -> Callable[[Any], Any]:
    """Return what makes SGLang's own `RadixCache`."""
    return lambda context: modules.radix.RadixCache(context.params)


class Serving:
    """A pool, a cache over it, and requests in it. `make` gets SGLang's build context."""

    def __init__(
        self, modules: Modules, num_pages: int, page_size: int, make: Callable[[Any], Any]
    ) -> None:
        self.m, self.page_size, self.num_pages = modules, page_size, num_pages
        kind = modules.token if page_size == 1 else modules.paged
        size = (num_pages * page_size, modules.torch.int64, "cpu", None, False)
        self.allocator = kind(*size) if page_size == 1 else kind(size[0], page_size, *size[1:])
        self.rows = modules.memory.ReqToTokenPool(
            size=MAX_REQUESTS, max_context_len=MAX_LEN, device="cpu", enable_memory_saver=False
        )
        self.cache = make(self.context())
        self.running: dict[str, Any] = {}
        self.hits: list[int] = []
        """Cached tokens of each request when it was admitted."""

    def context(self, server: dict[str, Any] | None = None, **more: Any) -> Any:
        """Make SGLang's context for a factory; `server` and `more` override its plain settings."""
        fields = {"is_hybrid_swa": False, "is_hybrid_ssm": False, "disable_radix_cache": False}
        own = {k: more.pop(k) for k in [*fields, "enable_hierarchical_cache"] if k in more}
        params = self.m.params.CacheInitParams(
            disable=False,
            req_to_token_pool=self.rows,
            token_to_kv_pool_allocator=self.allocator,
            page_size=more.pop("page_size", self.page_size),
            **more,
        )
        return self.m.registry.TreeCacheBuildContext(
            server_args=SimpleNamespace(**server or {}),
            params=params,
            tp_worker=None,
            model_config=None,
            tp_size=1,
            tp_rank=0,
            tp_group=None,
            **{**fields, "enable_hierarchical_cache": False, **own},
        )

    # ---- a request's life, each step as SGLang's scheduler does it

    def admit(self, rid: str, tokens: list[int], chunk: int, **keys: Any) -> bool:
        """Match, lock and compute the first chunk; False if there is no room for it now."""
        sampling = self.m.sampling.SamplingParams(max_new_tokens=MAX_LEN)
        req = self.m.batch.Req(rid, "", array("q", tokens), sampling, **keys)
        req.init_next_round_input(self.cache)
        if not self._fits(req, chunk):
            return False
        self.hits.append(req.prefix_len)
        self.running[rid] = req
        return self._extend(req, chunk)

    def waits(self, tokens: list[int], **keys: Any) -> Any:
        """Match a request that waits, which every pass of the scheduler does; return it."""
        sampling = self.m.sampling.SamplingParams(max_new_tokens=MAX_LEN)
        req = self.m.batch.Req("waiting", "", array("q", tokens), sampling, **keys)
        req.init_next_round_input(self.cache)
        return req

    def touch(self, tokens: list[int], **keys: Any) -> None:
        """Stamp a waiting request's prefix without a match."""
        sampling = self.m.sampling.SamplingParams(max_new_tokens=MAX_LEN)
        req = self.m.batch.Req("waiting", "", array("q", tokens), sampling, **keys)
        self.m.common.touch_waiting_prefix(req, self.cache)

    def step(self, rid: str, chunk: int, token: int) -> bool:
        """Compute the next chunk of the prompt or, after it, one token; False without room."""
        req = self.running[rid]
        if req.extend_end < len(req.origin_input_ids):
            req.init_next_round_input()
            return self._fits(req, chunk, held=True) and self._extend(req, chunk)
        if self._room() < self.page_size or len(req.full_untruncated_fill_ids) + 2 > MAX_LEN:
            return False
        req.output_ids.append(token)
        self._decode(req)
        return True

    def finish(self, rid: str) -> None:
        """End a request: the tree keeps what it computed."""
        req = self.running.pop(rid)
        req.finished_reason = self.m.batch.FINISH_LENGTH(length=len(req.output_ids))
        self.m.common.release_kv_cache(req, self.cache, checkpoint=True)

    def abort(self, rid: str) -> None:
        """Abort or retract a request: what it did not checkpoint is lost."""
        self.m.common.release_kv_cache(self.running.pop(rid), self.cache, checkpoint=False)

    def reset(self) -> None:
        """Flush the cache, as SGLang does while it is idle: the tree and the pool begin again."""
        self.cache.reset()
        self.allocator.clear()

    def evict(self, num_tokens: int) -> int:
        """Evict by hand; return the number of tokens that went."""
        return self.cache.evict(self.m.base.EvictParams(num_tokens=num_tokens)).num_tokens_evicted

    # ---- what can be seen

    def sizes(self) -> tuple[int, int, int, int]:
        """Return available, evictable, protected and total tokens."""
        cache = self.cache
        counts = (cache.evictable_size(), cache.protected_size(), cache.total_size())
        return (self.allocator.available_size(), *counts)

    def rows_of_all(self) -> dict[str, list[int]]:
        """Return the slots of every running request."""
        return {
            rid: self.rows.req_to_token[req.kv.req_pool_idx, : req.kv.kv_allocated_len].tolist()
            for rid, req in self.running.items()
        }

    def leaks(self) -> list[str]:
        """Say which pages have no owner, or more than one: free, in the tree, or of one request."""
        pages = [page for req in self.running.values() for page in self._private_pages(req)]
        pages += (self.allocator.get_all_free_pages()).tolist()
        tree = self.cache.all_values_flatten() if self.cache.total_size() else []
        slots = [int(slot) for slot in tree]
        pages += [slot // self.page_size for slot in slots[:: self.page_size]]
        owners = Counter(pages)
        return [
            f"page {page} has {owners[page]} owners"
            for page in range(1, self.num_pages + 1)
            if owners[page] != 1
        ]

    def _private_pages(self, req: Any) -> set[int]:
        row = self.rows.req_to_token[req.kv.req_pool_idx]
        own = row[req.kv.cache_protected_len : req.kv.kv_allocated_len]
        return {slot // self.page_size for slot in own.tolist()}

    # ---- steps

    def _room(self) -> int:
        return self.allocator.available_size() + self.cache.evictable_size()

    def _fits(self, req: Any, chunk: int, held: bool = False) -> bool:
        """Say whether a chunk fits, as the scheduler's budget does: with the prefix locked."""
        end = min(req.prefix_len + chunk, len(req.origin_input_ids))
        if end < len(req.origin_input_ids):
            end = end // self.page_size * self.page_size
        if end <= req.prefix_len:
            return False
        lock = None if held else self.cache.lock(req.last_node)
        fits = end - req.prefix_len + self.page_size <= self._room()
        self.cache.unlock(lock)
        req.extend_end = end
        return fits and len(self.running) < MAX_REQUESTS

    def _extend(self, req: Any, chunk: int) -> bool:
        if req.lock is None:
            req.lock = self.cache.lock(req.last_node)
        lens = self.m.torch.tensor([req.extend_end])
        batch = self._batch(req, seq_lens=lens, seq_lens_cpu=lens)
        batch.prefix_lens, batch.extend_lens = [req.prefix_len], [req.extend_end - req.prefix_len]
        batch.extend_num_tokens = batch.extend_lens[0]
        self.m.allocation.alloc_for_extend(batch)
        self.m.common.checkpoint_kv_cache(req, self.cache)
        return True

    def _decode(self, req: Any) -> None:
        lens = self.m.torch.tensor([req.kv.kv_committed_len])
        batch = self._batch(req, seq_lens=lens, seq_lens_cpu=lens)
        batch.req_pool_indices = self.m.torch.tensor([req.kv.req_pool_idx])
        batch.req_pool_indices_cpu = batch.req_pool_indices
        self.m.allocation.alloc_for_decode_default(batch, 1)

    def _batch(self, req: Any, **more: Any) -> Any:
        return SimpleNamespace(
            reqs=[req],
            device="cpu",
            tree_cache=self.cache,
            req_to_token_pool=self.rows,
            hisparse_coordinator=None,
            is_dllm=lambda: False,
            maybe_evict_swa=lambda: None,
            model_config=SimpleNamespace(is_encoder_decoder=False),
            **more,
        )
