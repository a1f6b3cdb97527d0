"""vLLM's KV cache manager with its default hash (sha256), loaded from its wheel.

Tokens are lists, vLLM's own type, made before the clock starts. Per request: hash the blocks of the
prompt (`Request` does), look them up, allocate, append the output and allocate again, free.
"""

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from benchmarks.peers.stubs import make_importable
from radixlab.config import CacheConfig
from radixlab.workloads import Request

VERSION = "0.33.0"
REAL = (
    "vllm.envs",
    "vllm.logger",
    "vllm.utils",
    "vllm.v1.core",
    "vllm.v1.kv_cache_interface",
    "vllm.v1.kv_cache_spec_registry",
    "vllm.v1.metrics.stats",
    "vllm.v1.request",
    "vllm.v1.structured_output.request",
    "vllm.v1.utils",
)
MAX_TOKENS = 1 << 20


@dataclass(slots=True)
class Tokens:
    """A request as vLLM keeps it."""

    prompt: list[int]
    output: list[int]


class VLLM:
    """One manager with one group of full attention."""

    def __init__(self, config: CacheConfig, modules: "Modules") -> None:
        self.m = modules
        self.manager = modules.manager(config)
        self.hasher = modules.block_hasher(config.block_size)
        self.sampling = SimpleNamespace(
            max_tokens=1, extra_args=None, structured_outputs=None, skip_reading_prefix_cache=None
        )
        self.ids = map(str, count())

    def prepare(self, request: Request) -> Tokens:
        """Convert to vLLM's token type; not timed."""
        return Tokens(request.prompt.tolist(), request.output.tolist())

    def serve(self, tokens: Tokens) -> int:
        """Take one request through its life; return its hit tokens."""
        manager = self.manager
        request = self.m.Request(
            next(self.ids), tokens.prompt, self.sampling, None, block_hasher=self.hasher
        )
        found = manager.get_computed_blocks(request)
        hit: int = found[1]
        assert manager.allocate_slots(request, len(tokens.prompt) - hit, hit, found[0])
        request.num_computed_tokens = len(tokens.prompt)
        if tokens.output:
            request.append_output_token_ids(tokens.output)
            assert manager.allocate_slots(request, len(tokens.output))
        manager.free(request)
        return hit


class Modules:
    """vLLM's own names, once they could be imported."""

    def __init__(self, folder: Path) -> None:
        import torch

        torch.set_num_threads(1)  # one thread, so that thread CPU time sees all of it
        make_importable(folder, REAL)
        self._interface = importlib.import_module("vllm.v1.kv_cache_interface")
        self._utils = importlib.import_module("vllm.v1.core.kv_cache_utils")
        self._Manager = importlib.import_module("vllm.v1.core.kv_cache_manager").KVCacheManager
        self._sha256 = importlib.import_module("vllm.utils.hashing").sha256
        self.Request = importlib.import_module("vllm.v1.request").Request
        self._utils.init_none_hash(self._sha256)
        self._float = torch.float16

    def block_hasher(self, block_size: int) -> Any:
        """Return what hashes a request's new full blocks."""
        return self._utils.get_request_block_hasher(block_size, self._sha256)

    def manager(self, config: CacheConfig) -> Any:
        """Make a manager; one block more than the pool, because block 0 is its null block."""
        spec = self._interface.FullAttentionSpec(
            block_size=config.block_size, num_kv_heads=1, head_size=1, dtype=self._float
        )
        group = self._interface.KVCacheGroupSpec(["layer"], spec)
        pool = self._interface.KVCacheConfig(
            num_blocks=config.num_blocks + 1, kv_cache_tensors=[], kv_cache_groups=[group]
        )
        size = config.block_size
        return self._Manager(pool, MAX_TOKENS, scheduler_block_size=size, hash_block_size=size)


def load_manager(folder: Path) -> Callable[[CacheConfig], VLLM]:
    """Load the KV cache manager."""
    modules = Modules(folder)
    return lambda config: VLLM(config, modules)


CACHES = ((f"vLLM {VERSION} (sha256)", "vllm", VERSION, load_manager),)
