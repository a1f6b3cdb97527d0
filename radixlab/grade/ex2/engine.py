"""The same door before the real engine: its managers, a store of real bytes, the machine's clock.

On a CPU a copy is done when its call returns, so there is nothing to wait for.
"""

import time
from typing import Any

import numpy as np

from radixlab.cache import CacheConfig, KVCacheManager, NaiveManager, NumpyKVStore, OutOfBlocksError
from radixlab.exercise.cow import Copies
from radixlab.grade.ex2.door import Door
from radixlab.grade.ex2.log import Log, RefusedError
from radixlab.grade.ex2.traffic import WORKLOADS
from radixlab.workloads.request import TokenArray

TOKEN: TokenArray = np.array([7], np.int32)
MAX_POOL_BYTES = 1 << 30
"""Of all managers of a machine together, unless less is said."""


class EngineMachine:
    """`KVCacheManager` and `NaiveManager` behind the door of the exercise.

    Every pool has room for two groups of `max_forks`, each with a sequence that is never forked;
    `token_floats` float32 make the KV of a token.
    """

    def __init__(
        self,
        max_forks: int,
        token_floats: int = 1_024,
        workload: str = "inside",
        max_pool_bytes: int = MAX_POOL_BYTES,
    ) -> None:
        self.max_forks, self.token_floats = max_forks, token_floats
        self.max_pool_bytes = max_pool_bytes
        self.workload = WORKLOADS[workload]
        self.log = Log()
        self._last_s, self._pool_bytes = 0.0, 0

    def clock(self) -> float:
        """Return the time; two readings differ even where the clock is too coarse to tell."""
        self._last_s = max(time.perf_counter(), self._last_s + 1e-9)
        return self.log.read(self._last_s)

    def make_manager(self, kind: str, block_size: int) -> Door:
        """Return a new manager with a pool of its own."""
        number = self.log.manager(kind, block_size)
        num_tokens = self.workload.prompt_tokens(block_size)
        num_blocks = 2 * (self.max_forks + 2) * (num_tokens // block_size + 2)
        block_bytes = 4 * block_size * self.token_floats
        self._pool_bytes += num_blocks * block_bytes
        if self._pool_bytes > self.max_pool_bytes:
            raise RefusedError(f"no room for the pool of manager {number}: make fewer managers")
        tables = EngineTables(kind, CacheConfig(num_blocks, block_size), num_tokens, block_bytes)
        return Door(number, tables, block_bytes, self.log.call)


class EngineTables:
    """The engine's own manager, and the store whose blocks it copies."""

    def __init__(self, kind: str, config: CacheConfig, num_tokens: int, block_bytes: int) -> None:
        self.kind, self.block_size = kind, config.block_size
        self.running: dict[int, Any] = {}
        self._prompt: TokenArray = np.arange(num_tokens, dtype=np.int32)
        self._manager: Any = KVCacheManager(config) if kind == "cow" else NaiveManager(config)
        shape = (block_bytes // config.block_size // 4,)
        self._store = NumpyKVStore(config.num_blocks, config.block_size, shape)
        self._store.data[:] = 1  # so that all its pages are there before the first copy

    def start(self) -> int:
        """Admit the prompt and register its full blocks."""
        sequence = self._in_pool(self._manager.allocate, self._prompt)
        self._manager.commit(sequence, len(self._prompt))
        return self._add(sequence)

    def fork(self, sequence: int) -> tuple[int, Copies]:
        """Fork, and copy what an eager fork copies."""
        child = self._in_pool(self._manager.fork, self.running[sequence])
        return self._add(child), self._copy(child.copies)

    def append(self, sequence: int) -> Copies:
        """Write a token, after the copies it takes."""
        return self._copy(self._in_pool(self._manager.append, self.running[sequence], TOKEN))

    def release(self, sequence: int) -> None:
        """End a sequence."""
        self._manager.release(self.running.pop(sequence))

    def _in_pool(self, call: Any, *arguments: Any) -> Any:
        try:
            return call(*arguments)
        except OutOfBlocksError as error:
            raise RefusedError(
                f"the pool is full ({error}): {len(self.running)} sequences run; "
                f"release what is no longer needed"
            ) from error

    def _copy(self, transfers: list[Any]) -> Copies:
        self._store.run(transfers)
        self._manager.complete(transfers)
        return [(transfer.src, transfer.dst) for transfer in transfers]

    def _add(self, sequence: Any) -> int:
        self.running[sequence.id] = sequence
        return int(sequence.id)
