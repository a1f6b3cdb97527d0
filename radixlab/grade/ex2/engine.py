"""The same door before the real engine: its managers, a store of real bytes, the machine's clock.

On a CPU a copy is done when its call returns, so there is nothing to wait for.
"""

import time
from typing import Any

import numpy as np

from radixlab.cache import CacheConfig, KVCacheManager, NaiveManager, NumpyKVStore, OutOfBlocksError
from radixlab.exercise.cow import Copies, Kind
from radixlab.grade.ex2.log import Call, Log, RefusedError, Verb, check_kind, check_runs
from radixlab.grade.ex2.workload import WORKLOADS, Workload
from radixlab.workloads.request import TokenArray

TOKEN: TokenArray = np.array([7], np.int32)


class EngineMachine:
    """`KVCacheManager` and `NaiveManager` behind the door of the exercise.

    Every pool has room for two groups of `max_forks`, each with a sequence that is never forked;
    `token_floats` float32 make the KV of a token.
    """

    def __init__(self, max_forks: int, token_floats: int = 1_024, workload: str = "inside") -> None:
        self.max_forks, self.token_floats = max_forks, token_floats
        self.workload: Workload = WORKLOADS[workload]
        self.log = Log()
        self._last_s = 0.0
        self._num_managers = 0

    def clock(self) -> float:
        """Return the time; two readings differ even where the clock is too coarse to tell."""
        self._last_s = max(time.perf_counter(), self._last_s + 1e-9)
        return self.log.read(self._last_s)

    def make_manager(self, kind: Kind, block_size: int) -> "EngineManager":
        """Return a new manager with a pool of its own."""
        check_kind(kind, block_size)
        self._num_managers += 1
        return EngineManager(self, self._num_managers, kind, block_size)


class EngineManager:
    """See `radixlab.exercise.cow.Manager`: the learner's code sees nothing else of it."""

    def __init__(self, machine: EngineMachine, number: int, kind: Kind, block_size: int) -> None:
        self._machine, self._number = machine, number
        self._kind, self._block_size = kind, block_size
        num_tokens = machine.workload.prompt_tokens(block_size)
        self._prompt: TokenArray = np.arange(num_tokens, dtype=np.int32)
        num_blocks = 2 * (machine.max_forks + 2) * (num_tokens // block_size + 2)
        config = CacheConfig(num_blocks, block_size)
        self._manager: Any = KVCacheManager(config) if kind == "cow" else NaiveManager(config)
        self._store = NumpyKVStore(num_blocks, block_size, (machine.token_floats,))
        self._store.data[:] = 1  # so that all its pages are there before the first copy
        self._running: dict[int, Any] = {}

    @property
    def block_bytes(self) -> int:
        """Bytes of one block."""
        return 4 * self._block_size * self._machine.token_floats

    def start(self) -> int:
        """Admit the prompt and register its full blocks."""
        sequence = self._in_pool(self._manager.allocate, self._prompt)
        self._manager.commit(sequence, len(self._prompt))
        self._note("start")
        return self._add(sequence)

    def fork(self, sequence: int) -> tuple[int, Copies]:
        """Fork, and copy what an eager fork copies."""
        check_runs(sequence, self._running)
        begin_s = time.perf_counter()
        child = self._in_pool(self._manager.fork, self._running[sequence])
        copies = self._copy(child.copies)
        self._note("fork", time.perf_counter() - begin_s)
        return self._add(child), copies

    def append(self, sequence: int) -> Copies:
        """Write a token, after the copies it takes."""
        check_runs(sequence, self._running)
        copies = self._copy(self._in_pool(self._manager.append, self._running[sequence], TOKEN))
        self._note("append")
        return copies

    def sync(self) -> None:
        """Return: all is done."""
        self._note("sync")

    def release(self, sequence: int) -> None:
        """End a sequence."""
        check_runs(sequence, self._running)
        self._manager.release(self._running.pop(sequence))
        self._note("release")

    def _in_pool(self, call: Any, *arguments: Any) -> Any:
        try:
            return call(*arguments)
        except OutOfBlocksError as error:
            raise RefusedError(
                f"the pool is full ({error}): {len(self._running)} sequences run; "
                f"release what is no longer needed"
            ) from error

    def _copy(self, transfers: list[Any]) -> Copies:
        self._store.run(transfers)
        self._manager.complete(transfers)
        return [(transfer.src, transfer.dst) for transfer in transfers]

    def _add(self, sequence: Any) -> int:
        self._running[sequence.id] = sequence
        return int(sequence.id)

    def _note(self, verb: Verb, seconds: float = 0.0) -> None:
        call = Call(self._number, self._kind, self._block_size, verb, clean_s=seconds)
        self._machine.log.add(call)
